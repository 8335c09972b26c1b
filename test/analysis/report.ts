import type { Case, Tally } from './tally.ts';

export interface Shown {
  /** So many differences, and other things that want looking at, are shown of each corpus. */
  readonly differences: number;
  /** Statements whole, and trees as far as they are kept. */
  readonly whole: boolean;
}

const SHORT = 220;

export function asJson(tally: Tally): string {
  const { corpus, major, uncertainties, counts } = tally;
  const notUnderstood = [...uncertainties].map(([message, cases]) => [message, cases.length] as const);
  return JSON.stringify({
    corpus,
    major,
    ...counts,
    notUnderstood: Object.fromEntries(notUnderstood.sort((a, b) => b[1] - a[1])),
  });
}

export function asText(tally: Tally, shown: Shown): string {
  const { corpus, major, counts } = tally;
  const { accepted, understood, differ, broken, refused } = counts;
  const share = accepted === 0 ? '-' : `${((understood * 100) / accepted).toFixed(1)} %`;
  const head =
    `${corpus}, PostgreSQL ${major}: ${accepted} accepted (${refused} refused), ` +
    `${understood} understood (${share}), ${differ} differ, ${broken} broke`;
  return [head, ...uncertain(tally, shown), ...differing(tally, shown), ...broke(tally, shown)].join('\n');
}

function uncertain({ uncertainties }: Tally, { whole }: Shown): string[] {
  const rows = [...uncertainties].sort((a, b) => b[1].length - a[1].length);
  return rows.map(
    ([message, cases]) =>
      `  ${String(cases.length).padStart(6)} not understood: ${message}   e.g. ${statement(cases[0]!, whole)}`,
  );
}

function differing({ differing }: Tally, { differences, whole }: Shown): string[] {
  const cut = (text: string) => (whole ? text : text.slice(0, SHORT));
  return differing
    .slice(0, differences)
    .flatMap((one) => [
      `  differs: ${statement(one, whole)}`,
      ...one.differences.flatMap(({ path, server, ours }) => [
        `    at ${path}`,
        `      server ${cut(server)}`,
        `      ours   ${cut(ours)}`,
      ]),
    ]);
}

function broke({ broken }: Tally, { differences, whole }: Shown): string[] {
  return broken
    .slice(0, differences)
    .flatMap((one) => [
      `  broke: ${statement(one, whole)}`,
      `    ${whole ? one.error : one.error.slice(0, SHORT)}`,
    ]);
}

function statement({ at, sql }: Case, whole: boolean): string {
  const line = sql.replace(/\s+/g, ' ').trim();
  return `${at}: ${whole || line.length <= SHORT ? line : `${line.slice(0, SHORT)}…`}`;
}
