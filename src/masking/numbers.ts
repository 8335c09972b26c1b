import { ALNUM } from './characters.ts';
import { cpfValid, luhn, numberOf, verhoeff } from './checksums.ts';
import type { DigitRun } from './digit-run.ts';
import { SEPARATOR } from './digit-run.ts';

/** Called for each number found: octets `start` … `end`. */
export type Found = (start: number, end: number, detector: NumberDetector) => void;
export type NumberDetector =
  | 'card'
  | 'us-ssn'
  | 'br-cpf'
  | 'fr-nir'
  | 'in-aadhaar'
  | 'es-dni'
  | 'se-personnummer';

/** Looks in one run for every kind of number told by its grouping or its checksum. */
export function findNumbers(bytes: Uint8Array, run: DigitRun, found: Found): void {
  if (run.length < 8) return;
  if (run.length >= 13) findCards(run, found);
  for (let group = 0; group < run.groups; group++) {
    const start = run.starts[group]!;
    const size = run.size(group);
    if (size === 3) {
      if (isSsn(run, group)) found(start, run.ends[group + 2]!, 'us-ssn');
      else if (isCpf(run, group)) found(start, run.ends[group + 3]!, 'br-cpf');
    } else if (size === 4) {
      if (isAadhaar(run, group)) found(start, run.ends[group + 2]!, 'in-aadhaar');
    } else if (size === 6 || size === 8) {
      if (isPersonnummer(run, group)) found(start, run.ends[group + 1]!, 'se-personnummer');
      else if (isDni(bytes, run, group)) found(start, run.ends[group]! + 1, 'es-dni');
    }
    if (run.length < 15) continue;
    const nir = nirEnd(run, group);
    if (nir > 0) found(start, nir, 'fr-nir');
  }
}

/** Cards of 13 … 19 digits, in one piece or in groups: the longest at each place, then on behind it. */
function findCards(run: DigitRun, found: Found): void {
  for (let group = 0; group < run.groups; group++) {
    const from = run.first[group]!;
    let best = -1;
    for (let last = group, kind = 0, least = 99; last < run.groups; last++) {
      const length = run.first[last + 1]! - from;
      if (length > 19) break;
      least = Math.min(least, run.size(last));
      if (last > group) kind = joined(kind, run.gaps[last - 1]!);
      // A dot never stands in a card; spaces and dashes mixed only between real groups, or two dates would be one.
      if (kind === SEPARATOR.dot || (kind === SEPARATOR.mixed && least < 3)) break;
      if (length >= 13 && cardPrefix(run.digits, from, length) && luhn(run.digits, from, from + length))
        best = last;
    }
    if (best === -1) continue;
    found(run.starts[group]!, run.ends[best]!, 'card');
    group = best;
  }
}

function joined(kind: number, gap: number): number {
  if (gap === SEPARATOR.dot || gap === SEPARATOR.mixed || kind === SEPARATOR.dot) return SEPARATOR.dot;
  return kind === 0 || kind === gap ? gap : SEPARATOR.mixed;
}

/** Prefixes and lengths that payment networks issue; keeps timestamps, dates and most counters out. */
function cardPrefix(digits: Uint8Array, from: number, length: number): boolean {
  const four = numberOf(digits, from, from + 4);
  const two = Math.trunc(four / 100);
  if (two >= 40 && two <= 69) return true;
  if (two === 34 || two === 37) return length === 15;
  if (two === 36 || two === 38 || two === 39 || (four >= 3000 && four <= 3059)) return length >= 14;
  if (four >= 3528 && four <= 3589) return length >= 16;
  return length >= 16 && ((four >= 2200 && four <= 2205) || (four >= 2221 && four <= 2720) || four === 9792);
}

/** Whether groups of these sizes stand at `group`, each set apart by one of `kinds`, the same throughout. */
function grouped(
  run: DigitRun,
  group: number,
  sizes: readonly number[],
  ...kinds: readonly number[]
): boolean {
  if (group + sizes.length > run.groups || run.size(group) !== sizes[0]) return false;
  const kind = run.gaps[group]!;
  if (!kinds.includes(kind)) return false;
  return sizes.every(
    (size, i) => run.size(group + i) === size && (i === 0 || run.gaps[group + i - 1] === kind),
  );
}

const SSN = [3, 2, 4];
const CPF = [3, 3, 3];
const AADHAAR = [4, 4, 4];

/** @see https://www.ssa.gov/employer/randomization.html: areas 000, 666, 9xx, group 00 and serial 0000 are never issued. */
function isSsn(run: DigitRun, group: number): boolean {
  if (!grouped(run, group, SSN, SEPARATOR.dash, SEPARATOR.space)) return false;
  const from = run.first[group]!;
  const area = numberOf(run.digits, from, from + 3);
  return (
    area !== 0 &&
    area !== 666 &&
    area < 900 &&
    numberOf(run.digits, from + 3, from + 5) !== 0 &&
    numberOf(run.digits, from + 5, from + 9) !== 0
  );
}

/** `123.456.789-09` */
function isCpf(run: DigitRun, group: number): boolean {
  return (
    grouped(run, group, CPF, SEPARATOR.dot) &&
    group + 4 <= run.groups &&
    run.size(group + 3) === 2 &&
    run.gaps[group + 2] === SEPARATOR.dash &&
    cpfValid(run.digits, run.first[group]!)
  );
}

/** `2345 6789 0124`: exactly three groups of four, else it is part of something longer. */
function isAadhaar(run: DigitRun, group: number): boolean {
  if (!grouped(run, group, AADHAAR, SEPARATOR.space, SEPARATOR.dash)) return false;
  if (group + 3 < run.groups && run.size(group + 3) === 4) return false;
  if (group > 0 && run.size(group - 1) === 4) return false;
  const from = run.first[group]!;
  return run.digits[from]! >= 2 && verhoeff(run.digits, from, from + 12);
}

/** `811218-9876`, or with the century: a date, four digits, Luhn over the last ten. */
function isPersonnummer(run: DigitRun, group: number): boolean {
  const size = run.size(group);
  if ((size !== 6 && size !== 8) || !grouped(run, group, [size, 4], SEPARATOR.dash)) return false;
  const from = run.first[group + 1]! - 6;
  const month = numberOf(run.digits, from + 2, from + 4);
  const day = numberOf(run.digits, from + 4, from + 6) % 60;
  return month >= 1 && month <= 12 && day >= 1 && day <= 31 && luhn(run.digits, from, from + 10);
}

const DNI_LETTERS = 'TRWAGMYFPDXBNJZSQVHLCKE';

/** `12345678Z`: the letter is the number modulo 23. */
function isDni(bytes: Uint8Array, run: DigitRun, group: number): boolean {
  if (run.size(group) !== 8) return false;
  const end = run.ends[group]!;
  const start = run.starts[group]!;
  if (ALNUM[bytes[end + 1] ?? 0] === 1 || (start > 0 && ALNUM[bytes[start - 1]!] === 1)) return false;
  const from = run.first[group]!;
  return DNI_LETTERS.charCodeAt(numberOf(run.digits, from, from + 8) % 23) === bytes[end];
}

/** `1 85 05 78 006 084 36`: thirteen digits and a key of two, 97 minus the rest by 97; 0 if there is none. */
function nirEnd(run: DigitRun, group: number): number {
  const from = run.first[group]!;
  const sex = run.digits[from]!;
  if (sex !== 1 && sex !== 2) return 0;
  for (let last = group; last < run.groups; last++) {
    const length = run.first[last + 1]! - from;
    if (length > 15 || (last > group && run.gaps[last - 1] !== SEPARATOR.space)) return 0;
    if (length < 15) continue;
    const month = numberOf(run.digits, from + 3, from + 5);
    const key = numberOf(run.digits, from + 13, from + 15);
    const valid =
      ((month >= 1 && month <= 12) || month >= 20) &&
      key === 97 - (numberOf(run.digits, from, from + 13) % 97);
    return valid ? run.ends[last]! : 0;
  }
  return 0;
}
