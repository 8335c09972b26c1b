/** The figures as docs/masking.md has them. */
import { falsePositives, type Precision, type Recall } from './measure.ts';
import { Random } from './random.ts';

const code = (text: string) => `\`${text.replace(/\n[\s\S]*/, '…')}\``;

/** One row for each form: detector, form, example, how many of a hundred are found. */
export function formRows(recall: readonly Recall[]): string[] {
  return recall.map(({ form, values, found }) => {
    const example = form.example === '' ? form.make(new Random(1)) : form.example;
    return `| ${code(form.detector)} | ${form.name} | ${code(example)} | ${((found * 100) / values).toFixed(1)} % |`;
  });
}

/** One row for each detector: how many of 100,000 honest values it finds something in. */
export function detectorRows(precision: readonly Precision[]): string[] {
  return [...falsePositives(precision)].map(([name, rate]) => `| ${code(name)} | ${rate.toFixed(2)} |`);
}

/** One row for each corpus, and what was found in its values. */
export function corpusRows(precision: readonly Precision[]): string[] {
  return precision.map(({ corpus, values, found }) => {
    const what = [...found].map(([name, count]) => `${code(name)} ${count}`).join(', ') || '0';
    const why = corpus.alike === undefined ? '' : ` (${corpus.alike})`;
    return `| ${corpus.name} | ${code(corpus.example)} | ${values} | ${what}${why} |`;
  });
}
