import { grouped, standsAlone } from '../places.ts';
import type { Stretch } from '../stretch.ts';
import { luhn, numberOf } from './checksums.ts';
import { type DigitRun, SEPARATOR } from './digit-run.ts';
import { LABELS, labelled } from './labels.ts';

/** How American Express and Diners Club print theirs, and how others write them; all others are printed in fours. */
const PRINTED = [
  [4, 6, 5],
  [4, 6, 4],
  [4, 4, 4, 3],
  [4, 4, 4, 2],
];

/** Called for each number found, with the groups of the run that it begins and ends with. */
type Found = (first: number, last: number) => void;

/**
 * Finds payment cards in one run of digits: of the length and with the prefix of a network, with their check digit,
 * in one piece or in the network's own groups. Lengths that are more often something else need a label before them.
 */
export function findCards(text: Stretch, run: DigitRun, found: Found): void {
  for (let group = 0; group < run.groups; ) {
    const fours = foursFrom(run, group);
    if (fours >= 4) {
      findFours(text, run, group, fours, found);
      group += fours;
      continue;
    }
    const last = cardEnd(text, run, group);
    if (last !== -1) found(group, last);
    group = Math.max(last, group) + 1;
  }
}

/** How many groups of four follow each other. */
function foursFrom(run: DigitRun, group: number): number {
  let count = 0;
  while (group + count < run.groups && run.size(group + count) === 4) {
    count++;
    if (!isPrinted(run.gaps[group + count - 1]!)) break;
  }
  return count;
}

/** Four groups of four are a card, five are a parcel's number; eight may be two cards. Three digits more: UnionPay. */
function findFours(text: Stretch, run: DigitRun, group: number, fours: number, found: Found): void {
  const long = fours === 4 && run.size(group + 4) === 3 && isPrinted(run.gaps[group + 3]!);
  const last = group + fours - 1;
  if (long && group + 4 < run.groups && hasCheckDigit(run, group, group + 4, 19)) {
    if (standsAlone(text, run, group, group + 4)) found(group, group + 4);
    return;
  }
  if (fours % 4 !== 0 || !standsAlone(text, run, group, last)) return;
  for (let first = group; first < last; first += 4) if (!hasCheckDigit(run, first, first + 3, 16)) return;
  for (let first = group; first < last; first += 4) found(first, first + 3);
}

function isPrinted(gap: number): boolean {
  return gap === SEPARATOR.space || gap === SEPARATOR.dash;
}

/** Last group of the card that begins with `group`, or -1. */
function cardEnd(text: Stretch, run: DigitRun, group: number): number {
  const size = run.size(group);
  if (size === 4) {
    for (const sizes of PRINTED) {
      if (!grouped(run, group, sizes, SEPARATOR.space, SEPARATOR.dash)) continue;
      const last = group + sizes.length - 1;
      const length = run.first[last + 1]! - run.first[group]!;
      return hasCheckDigit(run, group, last, length) && standsAlone(text, run, group, last) ? last : -1;
    }
    return -1;
  }
  if (size < 13 || size > 19 || !hasCheckDigit(run, group, group, size)) return -1;
  if (!standsAlone(text, run, group, group)) return -1;
  const plain = size === 14 || size === 15 || size === 16;
  return plain || labelled(text, run.starts[group]!, LABELS.card) ? group : -1;
}

function hasCheckDigit(run: DigitRun, first: number, last: number, length: number): boolean {
  const from = run.first[first]!;
  const to = run.first[last + 1]!;
  return to - from === length && isIssued(run.digits, from, length) && luhn(run.digits, from, to);
}

const within = (value: number, low: number, high: number) => value >= low && value <= high;

/** Prefixes by length, as the networks have them. @see docs/masking.md */
function isIssued(digits: Uint8Array, from: number, length: number): boolean {
  const four = numberOf(digits, from, from + 4);
  const two = Math.trunc(four / 100);
  if (length === 15) return two === 34 || two === 37;
  if (length === 14)
    return within(four, 3000, 3059) || four === 3095 || two === 36 || two === 38 || two === 39;
  if (length === 13) return four >= 4000 && four <= 4999;
  if (length === 19 && within(four, 4000, 4999)) return true;
  if (length > 16) return two === 62 || two === 63 || two === 67;
  return isIssuedAt16(four, two);
}

function isIssuedAt16(four: number, two: number): boolean {
  return (
    within(two, 40, 49) || // Visa
    within(two, 51, 55) || // Mastercard
    within(four, 2221, 2720) || // Mastercard
    within(four, 2200, 2205) || // Mir
    within(four, 3528, 3589) || // JCB
    four === 6011 || // Discover
    within(four, 6440, 6599) || // Discover, RuPay, Elo
    two === 60 || // RuPay
    two === 62 || // UnionPay
    two === 81 ||
    MAESTRO.has(four) ||
    four === 9792 // Troy
  );
}

const MAESTRO: ReadonlySet<number> = new Set([5018, 5020, 5038, 5893, 6304, 6759, 6761, 6762, 6763]);
