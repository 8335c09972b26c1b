import type { Stretch } from '../stretch.ts';

/** How far before a number its label is looked for. */
const REACH_BYTES = 40;

/** Between a label and its number: `"bsn": "…`, `Steuer-ID (IdNr.): `, `pan=`. */
const BETWEEN = String.raw`[\s_a-z()]{0,12}[."'):=#\s-]{0,6}$`;
const label = (words: string) => new RegExp(`(?<![a-z])(?:${words})${BETWEEN}`, 'i');

/** What people and programs write before a number that alone would tell too little. */
export const LABELS = {
  card: label('card|credit|debit|pan|cc|visa|master ?card|amex|maestro|unionpay|kreditkarten?|carte|tarjeta'),
  bsn: label('bsn|burgerservicenummer|sofinummer'),
  steuerId: label('steuer-?_? ?id(?:entifikations)?-?(?:nr|nummer)?|steuernummer|idnr|tin|tax_?id'),
  aadhaar: label('aadhaar|aadhar|uidai'),
  nir: label('nir|insee|secu(?:rite sociale)?|ssn'),
} as const;

/** Whether one of the words stands before `start`. Asked only where a checksum has said yes already. */
export function labelled(text: Stretch, start: number, words: RegExp): boolean {
  return words.test(text.text(start - REACH_BYTES, start));
}

/** Whether a text ends in one of the words, so that it may tell what follows it. */
export function endsInLabel(text: string): boolean {
  return Object.values(LABELS).some((words) => words.test(text.slice(-REACH_BYTES)));
}
