/** What EXPLAIN calls the sizes of values that it read or expected, in the formats for programs. */
const KEYS = [
  ...['Plan Width', 'Maximum Storage', 'Peak Memory Usage', 'Disk Usage', 'Output Volume'],
  ...['Sort Space Used', 'Average Sort Space Used', 'Peak Sort Space Used'],
];
const names = KEYS.join('|');
/** In each of the formats: what stands before the number. */
const SIZES = [
  /(\(cost=[\d.]+ rows=\d+ width=)\d+/g,
  /(\b(?:Memory: |Memory Usage: |Disk: |Disk Usage: |Maximum Storage: |output=))\d+(?=kB)/g,
  new RegExp(`("(?:${names})": )\\d+`, 'g'),
  new RegExp(`(^[ -]*(?:${names}): )\\d+`, 'gm'),
  new RegExp(`(<(?:${names.replaceAll(' ', '-')})>)\\d+`, 'g'),
];

/**
 * A plan that does not tell how long values are: each average width, and what rows took of memory, disk and output, is 0.
 * These come from samples of all columns of a table, and from what was read of them.
 *
 * @param plan A line in the format TEXT, or a whole plan in another.
 * @returns The same array if no size is told. Pure.
 * @see https://www.postgresql.org/docs/current/sql-explain.html
 */
export function withoutSizes(plan: Uint8Array): Uint8Array {
  const told = Buffer.from(plan.buffer, plan.byteOffset, plan.byteLength).toString('latin1');
  const shown = SIZES.reduce((text, size) => text.replaceAll(size, (_, key: string) => `${key}0`), told);
  return shown === told ? plan : Buffer.from(shown, 'latin1');
}
