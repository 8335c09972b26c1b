import { describe, expect, test } from 'vitest';
import type { ReplayFrame } from '../../../src/api/replay.ts';
import { Asciicast, type CastOptions } from '../../../src/cli/replay/asciicast.ts';
import { parseSeconds, pauseMs } from '../../../src/cli/replay/run-replay.ts';

const esc = String.fromCharCode(27);

const FRAMES = [
  { atMs: 5, kind: 'note', text: 'of the connection' },
  { atMs: 10, stream: 1, kind: 'request', text: 'shell', operation: 'op_1' },
  { atMs: 20, stream: 1, kind: 'resize', columns: 100, rows: 30 },
  { atMs: 520, stream: 1, kind: 'screen', channel: 'output', text: `$ ${esc}]52;c;aGk=${esc}\\${esc}[1m` },
  { atMs: 600, stream: 2, kind: 'screen', channel: 'output', text: 'of another' },
  { atMs: 1020, stream: 1, kind: 'screen', channel: 'input', text: 'ls' },
  {
    atMs: 1020,
    stream: 1,
    kind: 'screen',
    channel: 'output',
    base64: Buffer.from('\xc3', 'latin1').toString('base64'),
  },
  {
    atMs: 1030,
    stream: 1,
    kind: 'screen',
    channel: 'output',
    base64: Buffer.from('\xa4\n', 'latin1').toString('base64'),
  },
  { atMs: 1520, stream: 1, kind: 'resize', columns: 80, rows: 24 },
  { atMs: 1600, stream: 1, kind: 'status', status: 'exit 3' },
  { atMs: 1700, kind: 'end', reason: 'client left', complete: true },
];

function cast(options: CastOptions, frames: readonly object[] = FRAMES): unknown[] {
  const writer = new Asciicast(options);
  const text = frames.map((frame) => writer.push({ schemaVersion: 1, ...frame } as ReplayFrame)).join('');
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as unknown);
}

describe('a file for asciinema', () => {
  test('of version 3: the first terminal, with times since the event before', () => {
    expect(cast({ version: 3, idleLimit: 2 })).toEqual([
      { version: 3, term: { cols: 100, rows: 30 }, idle_time_limit: 2, title: 'shell' },
      [0.5, 'o', `$ ${esc}[1m`],
      [0.5, 'i', 'ls'],
      [0.01, 'o', 'ä\n'],
      [0.49, 'r', '80x24'],
      [0.08, 'x', '3'],
    ]);
  });

  test('of version 2: times since the start', () => {
    expect(cast({ version: 2 })).toEqual([
      { version: 2, width: 100, height: 30, title: 'shell' },
      [0.5, 'o', `$ ${esc}[1m`],
      [1, 'i', 'ls'],
      [1.01, 'o', 'ä\n'],
      [1.5, 'r', '80x24'],
    ]);
  });

  test('of a pipe: lines begin at the left', () => {
    const frames = [
      { atMs: 1, stream: 4, kind: 'request', text: 'exec ls', operation: 'op_2' },
      { atMs: 2, stream: 4, kind: 'screen', channel: 'output', text: 'a\nb\r\n' },
      { atMs: 3, stream: 4, kind: 'screen', channel: 'stderr', text: 'no\n' },
      { atMs: 4, stream: 4, kind: 'note', text: 'cut' },
    ];
    expect(cast({ version: 3, stream: 4 }, frames)).toEqual([
      { version: 3, term: { cols: 80, rows: 24 }, title: 'exec ls' },
      [0, 'o', 'a\r\nb\r\n'],
      [0.001, 'o', 'no\r\n'],
      [0.001, 'm', 'cut'],
    ]);
    expect(cast({ version: 3, stream: 5 }, frames)).toEqual([]);
  });
});

describe('the pace of a replay', () => {
  test.each([
    ['90', 90],
    ['0.5', 0.5],
    ['1:30', 90],
    ['1:02:03.5', 3723.5],
  ])('%s is %d s', (text, seconds) => {
    expect(parseSeconds('at', text)).toBe(seconds);
  });

  test.each(['', '-1', '1:', ':1', '1:2:3:4', 'x', '1e3', '٣'])('%j is no time', (text) => {
    expect(() => parseSeconds('at', text)).toThrow(expect.objectContaining({ code: 'ERR_USAGE' }));
  });

  test('pauses are bounded, and what comes before the start is shown at once', () => {
    const pace = { speed: 2, idleLimitMs: 1000, fromMs: 500 };
    expect(
      [
        [0, 400],
        [400, 700],
        [700, 1700],
        [700, 90_000],
        [900, 800],
      ].map(([a, b]) => pauseMs(a!, b!, pace)),
    ).toEqual([0, 100, 500, 1000, 0]);
    expect(pauseMs(0, 90_000, { ...pace, speed: 0 })).toBe(0);
  });
});
