const BARS = '▁▂▃▄▅▆▇█';

/**
 * Counts moments into `width` equal parts of a time. Pure.
 *
 * @param times Ms, in any order; those outside are left out.
 */
export function countsOver(
  times: Iterable<number>,
  fromMs: number,
  toMs: number,
  width: number,
): readonly number[] {
  const counts = Array.from({ length: Math.max(0, width) }, () => 0);
  const span = Math.max(1, toMs - fromMs);
  for (const time of times) {
    if (time < fromMs || time > toMs) continue;
    const at = Math.min(width - 1, Math.floor(((time - fromMs) / span) * width));
    if (at >= 0) counts[at]!++;
  }
  return counts;
}

/** Counts as a line of bars, as high as the highest of `peak`; nothing is a blank, and one is never nothing. Pure. */
export function barsOf(counts: readonly number[], peak: number): string {
  return counts
    .map((count) =>
      count === 0
        ? ' '
        : BARS[Math.min(BARS.length - 1, Math.ceil((count / Math.max(1, peak)) * BARS.length) - 1)],
    )
    .join('');
}
