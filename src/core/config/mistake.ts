/** One thing wrong with a configuration, where it stands and what to write instead. */
export interface Mistake {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** From 1. */
  readonly column: number;
  /** Dotted, as in the documentation: `resources.pg-prod.target.port`; empty for the file as a whole. */
  readonly path: string;
  readonly problem: string;
  /** What to write or do; empty if the problem says it all. */
  readonly cure: string;
}

/** One line: `hoopd.yaml:12:5: resources.pg-prod.target.port: expected …, got …; write …`. Pure; never throws. */
export function formatMistake(mistake: Mistake): string {
  const place = `${mistake.file}:${mistake.line}:${mistake.column}: `;
  const where = mistake.path === '' ? '' : `${mistake.path}: `;
  const cure = mistake.cure === '' ? '' : `; ${mistake.cure}`;
  return `${place}${where}${mistake.problem}${cure}`;
}

/** By place in the file, then by path: the order in which a person fixes them. */
export function sortMistakes(mistakes: readonly Mistake[]): Mistake[] {
  return mistakes.toSorted(
    (a, b) => a.line - b.line || a.column - b.column || (a.path < b.path ? -1 : Number(a.path > b.path)),
  );
}

/**
 * The candidate that was probably meant: at most a third of its letters away, and at most `most` of them. Undefined if none
 * is near.
 *
 * @param most For names that are alike by intention (`shop-test`, `shop-rest`) 1: what is one slip away. Default unbounded.
 */
export function nearest(
  word: string,
  candidates: readonly string[],
  most = Number.POSITIVE_INFINITY,
): string | undefined {
  const ranked = candidates
    .map((candidate) => ({ candidate, distance: editDistance(word.toLowerCase(), candidate.toLowerCase()) }))
    .filter(
      ({ candidate, distance }) => distance <= Math.min(most, Math.max(1, Math.floor(candidate.length / 3))),
    )
    .sort((a, b) => a.distance - b.distance);
  return ranked[0]?.candidate;
}

/** Optimal string alignment distance: insert, delete, replace and swap of neighbours cost 1 each. */
function editDistance(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > 32 || a.length > 128) return Number.POSITIVE_INFINITY;
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replace = last[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      let best = Math.min(last[j]! + 1, row[j - 1]! + 1, replace);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) best = Math.min(best, beforeLast[j - 2]! + 1);
      row.push(best);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length]!;
}
