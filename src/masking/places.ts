import { ALNUM, DIGIT, LETTER } from './detectors/characters.ts';
import { type DigitRun, SEPARATOR } from './detectors/digit-run.ts';
import type { Stretch } from './stretch.ts';

const [DOT, DASH, UNDERSCORE, ZERO] = [0x2e, 0x2d, 0x5f, 0x30];
/** Letters that stand before a dash or underscore: `card-4111…`. */
const WORD_MAX_BYTES = 24;

/**
 * Whether a number may begin at `start`: not behind a letter or digit, not as the fraction of a decimal, not as a part of
 * an id such as `e29b-…` or `7_…`.
 */
function beginsNumber(text: Stretch, start: number): boolean {
  const before = text.at(start - 1);
  if (ALNUM[before] === 1) return false;
  if (before === DOT) return LETTER[text.at(start - 2)] === 1;
  if (before !== DASH && before !== UNDERSCORE) return true;
  const word = text.spanStart(start - 1, ALNUM, WORD_MAX_BYTES);
  for (let at = word; at < start - 1; at++) if (DIGIT[text.at(at)] === 1) return false;
  return true;
}

/** As `beginsNumber`, and no word is joined to it either: `SO-2009…`, `ac-02-…`. */
export function beginsAlone(text: Stretch, start: number): boolean {
  const before = text.at(start - 1);
  const joined = (before === DASH || before === UNDERSCORE) && ALNUM[text.at(start - 2)] === 1;
  return !joined && beginsNumber(text, start);
}

/** Whether a number may end before `end`: as `beginsNumber`; a fraction of nothing but noughts ends it too. */
function endsNumber(text: Stretch, end: number): boolean {
  const after = text.at(end);
  if (ALNUM[after] === 1) return false;
  if (after !== DOT && after !== DASH && after !== UNDERSCORE) return true;
  if (ALNUM[text.at(end + 1)] === 0) return true;
  if (after !== DOT) return LETTER[text.at(end + 1)] === 1 && after === UNDERSCORE;
  if (DIGIT[text.at(end + 1)] === 0) return true;
  let at = end + 1;
  while (text.at(at) === ZERO) at++;
  return ALNUM[text.at(at)] === 0 && text.at(at) !== DOT;
}

/** Whether the groups `first` … `last` of a run stand for themselves: what is set apart by more than a space, or by one. */
export function standsAlone(text: Stretch, run: DigitRun, first: number, last: number): boolean {
  const before = first === 0 ? SEPARATOR.none : run.gaps[first - 1]!;
  const after = last === run.groups - 1 ? SEPARATOR.none : run.gaps[last]!;
  if (before === SEPARATOR.dash || before === SEPARATOR.dot || after === SEPARATOR.dash) return false;
  return beginsNumber(text, run.starts[first]!) && endsNumber(text, run.ends[last]!);
}

/** Whether groups of these sizes stand at `group`, each set apart by one of `kinds`, the same throughout. */
export function grouped(
  run: DigitRun,
  group: number,
  sizes: readonly number[],
  ...kinds: readonly number[]
): boolean {
  if (group + sizes.length > run.groups || run.size(group) !== sizes[0]) return false;
  const kind = run.gaps[group]!;
  if (!kinds.includes(kind)) return false;
  for (let i = 1; i < sizes.length; i++) {
    if (run.size(group + i) !== sizes[i] || run.gaps[group + i - 1] !== kind) return false;
  }
  return true;
}
