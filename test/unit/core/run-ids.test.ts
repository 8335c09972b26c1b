import { expect, test } from 'vitest';
import { isRunId, runIdsOf } from '../../../src/core/ids/runs.ts';

test.each([
  ['what the caller says comes first, what is attested behind it', { runId: '7' }, 'mine', ['mine', '7']],
  [
    'a configured claim goes before the platform’s',
    { run: 'a', runId: '7', podUid: 'p' },
    undefined,
    ['a', '7', 'p'],
  ],
  ['the same name twice is one', { pipelineId: '7' }, '7', ['7']],
  ['none', { repository: 'org/shop' }, undefined, []],
  ['what is no text is none', { runId: 7 }, null, []],
])('%s', (_what, attested, declared, names) => expect(runIdsOf(attested, declared)).toEqual(names));

test.each([
  ['9876543210', true],
  ['run_01JD8M2K7QZX4T9B3N5V6W8Y0C', true],
  ['org/shop:main@4711', true],
  ['', false],
  ['.x', false],
  ['a b', false],
  ['a\n', false],
  ['a\u202eb', false],
  ['x'.repeat(129), false],
])('%j may be a name: %s', (text, may) => expect(isRunId(text)).toBe(may));
