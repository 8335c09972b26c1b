/** How often detectors are wrong: what they find in honest values, and what they miss of the forms they name. */
import type { DetectorSet } from '../../src/masking/detectors/index.ts';
import { CORPORA, type Corpus } from './corpora.ts';
import { FORMS, type Form } from './formats.ts';
import { Random } from './random.ts';

export interface Precision {
  readonly corpus: Corpus;
  readonly values: number;
  /** Values in which a detector found something, by detector. */
  readonly found: ReadonlyMap<string, number>;
}

export interface Recall {
  readonly form: Form;
  readonly values: number;
  readonly found: number;
}

const SEED = 20_261_128;
/** Of each form. */
const FORM_VALUES = 1000;

export function measurePrecision(detectors: DetectorSet, values: number): Precision[] {
  return CORPORA.map((corpus) => {
    const random = new Random(SEED);
    const found = new Map<string, number>();
    for (let i = 0; i < values; i++) {
      const value = Buffer.from(corpus.make(random, i));
      const names = new Set(
        detectors.scan(value, corpus.json === true ? 'json' : 'text').map((one) => one.detector),
      );
      for (const name of names) found.set(name, (found.get(name) ?? 0) + 1);
    }
    return { corpus, values, found };
  });
}

/** Where values stand: alone, in a sentence, in a JSON document, between others. */
const PLACES: readonly ((value: string) => readonly [string, string])[] = [
  () => ['', ''],
  () => ['Please note: ', ', thank you.'],
  () => ['{"id":7,"value":"', '","ok":true}'],
  () => ['2024-01-02\t', '\t12.50'],
];

/** A value counts as found where a finding of its detector covers it. */
export function measureRecall(detectors: DetectorSet, values = FORM_VALUES): Recall[] {
  return FORMS.map((form) => {
    const random = new Random(SEED);
    let found = 0;
    for (let i = 0; i < values; i++) {
      const value = form.make(random);
      const [before, after] = PLACES[i % PLACES.length]!(value);
      const start = Buffer.byteLength(before + (form.label ?? ''));
      const end = start + Buffer.byteLength(value);
      const text = Buffer.from(before + (form.label ?? '') + value + after);
      if (
        detectors
          .scan(text)
          .some((one) => one.start <= start && one.end >= end && one.detector === form.detector)
      )
        found++;
    }
    return { form, values, found };
  });
}

/** Of all corpora that hold nothing like what is looked for: how many of 100,000 values each detector is wrong about. */
export function falsePositives(precision: readonly Precision[]): ReadonlyMap<string, number> {
  const honest = precision.filter(({ corpus }) => corpus.alike === undefined);
  const values = honest.reduce((sum, one) => sum + one.values, 0);
  const detectors = [...new Set(FORMS.map((form) => form.detector))];
  return new Map(
    detectors.map((name) => {
      const found = honest.reduce((sum, one) => sum + (one.found.get(name) ?? 0), 0);
      return [name, (found * 100_000) / values];
    }),
  );
}
