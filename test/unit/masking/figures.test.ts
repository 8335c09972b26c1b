import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { DetectorSet } from '../../../src/masking/detectors/index.ts';
import { measurePrecision, measureRecall } from '../../detectors/measure.ts';
import { formRows } from '../../detectors/tables.ts';

const page = readFileSync(new URL('../../../docs/masking.md', import.meta.url), 'utf8').split('\n');
const detectors = new DetectorSet();

describe('docs/masking.md', () => {
  it('lists every form that is looked for, with how much of it is found', () => {
    const rows = formRows(measureRecall(detectors));
    expect(page.filter((line) => / %? ?\|$/.test(line) && / \d+\.\d % \|$/.test(line))).toEqual(rows);
  });

  it('lists every corpus; where it says that nothing is found, nothing is found in the first of its values', () => {
    const documented = new Map(
      page
        .map((line) => /^\| ([^|`]+) \| `[^|]*` \| \d+ \| (.*) \|$/.exec(line))
        .filter((match) => match !== null)
        .map((match) => [match[1], match[2]]),
    );
    const precision = measurePrecision(detectors, 1500);
    expect([...documented.keys()]).toEqual(precision.map(({ corpus }) => corpus.name));
    const wrong = precision.filter(
      ({ corpus, found }) => documented.get(corpus.name) === '0' && found.size > 0,
    );
    expect(wrong.map(({ corpus }) => corpus.name)).toEqual([]);
  });
});
