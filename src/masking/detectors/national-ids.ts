import { beginsAlone, grouped, standsAlone } from '../places.ts';
import type { Stretch } from '../stretch.ts';
import { ALNUM, LETTER, UPPER } from './characters.ts';
import {
  bsnValid,
  codiceFiscaleValid,
  cpfValid,
  luhn,
  numberOf,
  steuerIdValid,
  verhoeff,
} from './checksums.ts';
import { type DigitRun, SEPARATOR } from './digit-run.ts';
import { LABELS, labelled } from './labels.ts';
import type { Span } from './span.ts';

/** Called for each number found, with the octets it stands at. */
export type FoundId = (detector: NationalId, span: Span) => void;

export type NationalId =
  | 'us-ssn'
  | 'br-cpf'
  | 'fr-nir'
  | 'in-aadhaar'
  | 'es-dni'
  | 'es-nie'
  | 'se-personnummer'
  | 'nl-bsn'
  | 'de-steuer-id'
  | 'gb-nino'
  | 'it-codice-fiscale';

/** What a group of so many digits may begin. @returns Last group of the number and what it is, if it is one. */
type Rule = (text: Stretch, run: DigitRun, group: number) => number;

const NONE = -1;
const SSN = [3, 2, 4];
const CPF = [3, 3, 3];
const THREE_FOURS = [4, 4, 4];
const STEUER_ID = [2, 3, 3, 3];
const NIR = [1, 2, 2, 2, 3, 3, 2];
const BSN = [4, 2, 3];

/** By the size of the first group. */
const RULES: readonly (readonly (readonly [NationalId, Rule])[])[] = Array.from({ length: 16 }, (_, size) => {
  const rules: Partial<Record<number, readonly (readonly [NationalId, Rule])[]>> = {
    1: [['fr-nir', nir]],
    2: [['de-steuer-id', steuerId]],
    3: [
      ['us-ssn', ssn],
      ['br-cpf', cpf],
    ],
    4: [
      ['in-aadhaar', aadhaar],
      ['nl-bsn', bsn],
    ],
    6: [['se-personnummer', personnummer]],
    8: [['se-personnummer', personnummer]],
    9: [['nl-bsn', bsn]],
    11: [['de-steuer-id', steuerId]],
    12: [['in-aadhaar', aadhaar]],
    15: [['fr-nir', nir]],
  };
  return rules[size] ?? [];
});

/** Finds in one run every national id that is told by its groups and its checksum. */
export function findNationalIds(text: Stretch, run: DigitRun, found: FoundId): void {
  for (let group = 0; group < run.groups; group++) {
    const size = run.size(group);
    if (size === 8) {
      const span = dni(text, run, group);
      if (span !== undefined) found('es-dni', span);
    }
    for (const [detector, rule] of RULES[size] ?? []) {
      const last = rule(text, run, group);
      if (last === NONE || !beginsAlone(text, run.starts[group]!) || !standsAlone(text, run, group, last))
        continue;
      found(detector, { start: run.starts[group]!, end: run.ends[last]! });
      group = last;
      break;
    }
  }
}

/** `123-45-6789`. @see https://www.ssa.gov/employer/randomization.html: 000, 666, 9xx, group 00, serial 0000 are never issued */
function ssn(_: Stretch, run: DigitRun, group: number): number {
  if (!grouped(run, group, SSN, SEPARATOR.dash)) return NONE;
  const from = run.first[group]!;
  const area = numberOf(run.digits, from, from + 3);
  if (area === 0 || area === 666 || area >= 900) return NONE;
  const rest =
    numberOf(run.digits, from + 3, from + 5) !== 0 && numberOf(run.digits, from + 5, from + 9) !== 0;
  return rest ? group + 2 : NONE;
}

/** `123.456.789-09` */
function cpf(_: Stretch, run: DigitRun, group: number): number {
  const shape = grouped(run, group, CPF, SEPARATOR.dot) && group + 4 <= run.groups;
  if (!shape || run.size(group + 3) !== 2 || run.gaps[group + 2] !== SEPARATOR.dash) return NONE;
  return cpfValid(run.digits, run.first[group]!) ? group + 3 : NONE;
}

/** `1 85 05 78 006 084 36`, or its fifteen digits with a label: 97 minus the rest by 97 is the key. */
function nir(text: Stretch, run: DigitRun, group: number): number {
  const inGroups = grouped(run, group, NIR, SEPARATOR.space);
  if (!inGroups && (run.size(group) !== 15 || !labelled(text, run.starts[group]!, LABELS.nir))) return NONE;
  const from = run.first[group]!;
  const month = numberOf(run.digits, from + 3, from + 5);
  const key = numberOf(run.digits, from + 13, from + 15);
  const born = (month >= 1 && month <= 12) || month >= 20;
  const sex = run.digits[from] === 1 || run.digits[from] === 2;
  const valid = sex && born && key === 97 - (numberOf(run.digits, from, from + 13) % 97);
  return valid ? group + (inGroups ? NIR.length - 1 : 0) : NONE;
}

/** `2345 6789 0124`, with a label: FedEx and others print numbers in the same groups. */
function aadhaar(text: Stretch, run: DigitRun, group: number): number {
  const inGroups = grouped(run, group, THREE_FOURS, SEPARATOR.space, SEPARATOR.dash);
  if (!inGroups && run.size(group) !== 12) return NONE;
  const from = run.first[group]!;
  const valid = run.digits[from]! >= 2 && verhoeff(run.digits, from, from + 12);
  return valid && labelled(text, run.starts[group]!, LABELS.aadhaar) ? group + (inGroups ? 2 : 0) : NONE;
}

/** Orders are numbered by day as well: days from 2013 on are not taken for a birthday. */
const LAST_BIRTH_YEAR = 2012;

/** `811218-9876`, or with the century: a day of birth, four digits, Luhn over the last ten. */
function personnummer(_: Stretch, run: DigitRun, group: number): number {
  const size = run.size(group);
  if (!grouped(run, group, [size, 4], SEPARATOR.dash)) return NONE;
  const from = run.first[group + 1]! - 6;
  const short = numberOf(run.digits, from, from + 2);
  const year =
    size === 8 ? numberOf(run.digits, from - 2, from + 2) : short > 30 ? 1900 + short : 2000 + short;
  const month = numberOf(run.digits, from + 2, from + 4);
  const day = numberOf(run.digits, from + 4, from + 6) % 60;
  const born = year >= 1900 && year <= LAST_BIRTH_YEAR && month >= 1 && month <= 12 && day >= 1 && day <= 31;
  return born && luhn(run.digits, from, from + 10) ? group + 1 : NONE;
}

/** `1234.56.782`, or its nine digits with a label. */
function bsn(text: Stretch, run: DigitRun, group: number): number {
  const inGroups = grouped(run, group, BSN, SEPARATOR.dot);
  if (!inGroups && run.size(group) !== 9) return NONE;
  if (!bsnValid(run.digits, run.first[group]!)) return NONE;
  if (!inGroups && !labelled(text, run.starts[group]!, LABELS.bsn)) return NONE;
  return group + (inGroups ? 2 : 0);
}

/** `12 345 678 901`, or its eleven digits, with a label. */
function steuerId(text: Stretch, run: DigitRun, group: number): number {
  const inGroups = grouped(run, group, STEUER_ID, SEPARATOR.space);
  if (!inGroups && run.size(group) !== 11) return NONE;
  if (!steuerIdValid(run.digits, run.first[group]!)) return NONE;
  return labelled(text, run.starts[group]!, LABELS.steuerId) ? group + (inGroups ? 3 : 0) : NONE;
}

const DNI_LETTERS = 'TRWAGMYFPDXBNJZSQVHLCKE';

/** `12345678Z` or `12345678-Z`: the letter is the number modulo 23. */
function dni(text: Stretch, run: DigitRun, group: number): Span | undefined {
  const before = group === 0 ? SEPARATOR.none : run.gaps[group - 1]!;
  if (before === SEPARATOR.dash || before === SEPARATOR.dot || !beginsAlone(text, run.starts[group]!))
    return undefined;
  const end = letterBehind(text, run.ends[group]!, run.digits, run.first[group]!, 8);
  return end === undefined ? undefined : { start: run.starts[group]!, end };
}

/** `X1234567L` or `X-1234567-L`, given where its digits begin: the first letter counts as 0, 1 or 2. */
export function nieAround(text: Stretch, run: DigitRun, digits: number): Span | undefined {
  const start = text.at(digits - 1) === 0x2d ? digits - 2 : digits - 1;
  const first = text.at(start) - 0x58;
  if (first < 0 || first > 2 || ALNUM[text.at(start - 1)] === 1) return undefined;
  if (!run.read(text, digits, false) || run.size(0) !== 7) return undefined;
  const number = Uint8Array.of(first, ...run.digits.subarray(0, 7));
  const end = letterBehind(text, run.ends[0]!, number, 0, 8);
  return end === undefined ? undefined : { start, end };
}

/** End of the check letter behind `digits`, a dash before it or not. */
function letterBehind(
  text: Stretch,
  end: number,
  digits: Uint8Array,
  from: number,
  length: number,
): number | undefined {
  const letter = text.at(end) === 0x2d ? end + 1 : end;
  if (ALNUM[text.at(letter + 1)] === 1 || text.at(letter) === 0) return undefined;
  const expected = DNI_LETTERS.charCodeAt(numberOf(digits, from, from + length) % 23);
  return text.at(letter) === expected ? letter + 1 : undefined;
}

const NINO =
  /^(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z](?:\d{6}| \d\d \d\d \d\d )[A-D](?![A-Za-z0-9])/;

/** `AB123456C` or `AB 12 34 56 C`, given where its digits begin. @see https://www.gov.uk/hmrc-internal-manuals/national-insurance-manual/nim39110 */
export function ninoAround(text: Stretch, digits: number): Span | undefined {
  const start = text.at(digits - 1) === 0x20 ? digits - 3 : digits - 2;
  if (UPPER[text.at(start)] === 0 || UPPER[text.at(start + 1)] === 0 || ALNUM[text.at(start - 1)] === 1)
    return undefined;
  const match = NINO.exec(text.text(start, start + 14));
  if (match === null) return undefined;
  const joined = text.at(start - 1) === 0x2d && ALNUM[text.at(start - 2)] === 1;
  return joined ? undefined : { start, end: start + match[0].length };
}

const CODICE_FISCALE =
  /^[A-Z]{6}[\dLMNP-V]{2}[A-EHLMPRST][\dLMNP-V]{2}[A-Z][\dLMNP-V]{3}[A-Z](?![A-Za-z0-9])/i;

/** `RSSMRA85T10A562S`, given where its first digits begin, behind six letters. */
export function codiceFiscaleAround(text: Stretch, digits: number): Span | undefined {
  const start = digits - 6;
  if (ALNUM[text.at(start - 1)] === 1 || LETTER[text.at(start)] === 0) return undefined;
  const code = text.text(start, start + 17);
  if (!CODICE_FISCALE.test(code) || !codiceFiscaleValid(code.slice(0, 16).toUpperCase())) return undefined;
  return { start, end: start + 16 };
}
