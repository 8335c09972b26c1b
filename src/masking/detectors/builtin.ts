import { Stretch } from '../stretch.ts';
import { findCards } from './cards.ts';
import { ALNUM, DIGIT, LETTER, UPPER } from './characters.ts';
import { DigitRun } from './digit-run.ts';
import { addFinding, type Finding } from './finding.ts';
import { ibanAround } from './ibans.ts';
import {
  codiceFiscaleAround,
  type FoundId,
  findNationalIds,
  type NationalId,
  nieAround,
  ninoAround,
} from './national-ids.ts';
import { internationalAt, nationalAt } from './phones.ts';
import type { Span } from './span.ts';
import { awsKeyAt, emailAround, jwtAround, privateKeyAt, VENDOR_KEYS, vendorKeyAt } from './tokens.ts';

/** Tags by detector: what policies ask for. Frozen, shared by all findings. */
export const BUILTIN_TAGS = {
  card: ['pii.card'],
  email: ['pii.email'],
  phone: ['pii.phone'],
  iban: ['pii.iban'],
  'us-ssn': ['pii.national-id'],
  'gb-nino': ['pii.national-id'],
  'br-cpf': ['pii.national-id'],
  'de-steuer-id': ['pii.national-id'],
  'es-dni': ['pii.national-id'],
  'es-nie': ['pii.national-id'],
  'fr-nir': ['pii.national-id'],
  'in-aadhaar': ['pii.national-id'],
  'it-codice-fiscale': ['pii.national-id'],
  'nl-bsn': ['pii.national-id'],
  'se-personnummer': ['pii.national-id'],
  'aws-access-key': ['secret.key'],
  'private-key': ['secret.key'],
  jwt: ['secret.key'],
  'vendor-key': ['secret.key'],
} as const satisfies Record<NationalId, readonly string[]> & Record<string, readonly string[]>;

type Builtin = keyof typeof BUILTIN_TAGS;

const TRIGGER = {
  none: 0,
  digit: 1,
  at: 2,
  plus: 3,
  dash: 4,
  underscore: 5,
  letterA: 6,
  letterJ: 7,
  wide: 8,
} as const;

/** What an octet may be the telling part of. Lead octets of scripts with digits of their own are `wide`. */
const TRIGGERS = Uint8Array.from({ length: 256 }, (_, byte) => {
  if (DIGIT[byte] === 1) return TRIGGER.digit;
  if ([0xd9, 0xdb, 0xe0, 0xe1, 0xef, 0xf0].includes(byte)) return TRIGGER.wide;
  const marks: Record<string, number> = {
    '@': TRIGGER.at,
    '+': TRIGGER.plus,
    '-': TRIGGER.dash,
    _: TRIGGER.underscore,
    A: TRIGGER.letterA,
    J: TRIGGER.letterJ,
  };
  return marks[String.fromCharCode(byte)] ?? TRIGGER.none;
});

/**
 * Finds what the built-in detectors know, in one walk that looks closer only where a telling octet stands. No regular
 * expression is run over a value, and no octet is looked at more than a bounded number of times.
 *
 * @see docs/masking.md for every form that is found
 */
export class BuiltinScanner {
  readonly #run = new DigitRun();
  readonly #text = new Stretch();
  #found: Finding[] = [];
  readonly #onCard = (first: number, last: number) =>
    this.#add('card', { start: this.#run.starts[first]!, end: this.#run.ends[last]! });
  readonly #onId: FoundId = (detector, span) => this.#add(detector, span);

  scan(value: Uint8Array, found: Finding[]): void {
    const text = this.#text;
    text.set(value, 0, value.length);
    this.#found = found;
    const length = value.length;
    for (let at = nextTelling(value, 0, length); at < length; at = nextTelling(value, at, length)) {
      const trigger = TRIGGERS[value[at]!]!;
      if (trigger === TRIGGER.digit) at = shortRunEnd(text, at) || this.#digit(at);
      else at = tellsNothing(trigger, value, at, 0, length) ? at + 1 : this.#look(trigger, at);
    }
  }

  /** Looks closer at `at`; returns where to go on. */
  #look(trigger: number, at: number): number {
    const text = this.#text;
    switch (trigger) {
      case TRIGGER.at:
        return this.#add('email', emailAround(text, at, 1)) ?? at + 1;
      case TRIGGER.plus:
        return this.#add('phone', internationalAt(text, at, this.#run)) ?? at + 1;
      case TRIGGER.dash:
        if (text.at(at + 1) === 0x2d) return this.#add('private-key', privateKeyAt(text, at)) ?? at + 1;
        return this.#add('vendor-key', vendorKeyAt(text, at)) ?? at + 1;
      case TRIGGER.underscore:
        return this.#add('vendor-key', vendorKeyAt(text, at)) ?? at + 1;
      case TRIGGER.letterA:
        return (
          this.#add('aws-access-key', awsKeyAt(text, at)) ??
          this.#add('vendor-key', vendorKeyAt(text, at)) ??
          at + 1
        );
      case TRIGGER.letterJ:
        return this.#add('jwt', jwtAround(text, at)) ?? at + 1;
      default:
        return text.spells(at, '\xef\xbc\xa0')
          ? (this.#add('email', emailAround(text, at, 3)) ?? at + 3)
          : this.#digit(at);
    }
  }

  #digit(at: number): number {
    const text = this.#text;
    const before = text.at(at - 1);
    if (before === 0x25 && text.spells(at, '40')) this.#add('email', emailAround(text, at - 1, 3));
    const end =
      this.#lettered(at) ?? this.#add('phone', mayBePhone(text, at) ? nationalAt(text, at) : undefined);
    if (end !== undefined) return end;
    const run = this.#run;
    if (!run.read(text, at, false)) return run.next;
    const next = run.next;
    if (run.length >= 13) findCards(text, run, this.#onCard);
    if (run.length >= 8) findNationalIds(text, run, this.#onId);
    return next;
  }

  /** What begins with letters, and with the digit at `at` behind them. */
  #lettered(at: number): number | undefined {
    const text = this.#text;
    switch (lettersBefore(text.bytes, text.start, at)) {
      case LETTERS.one:
        return this.#add('es-nie', nieAround(text, this.#run, at));
      case LETTERS.two:
        return this.#add('iban', ibanAround(text, at)) ?? this.#add('gb-nino', ninoAround(text, at));
      case LETTERS.six:
        return this.#add('it-codice-fiscale', codiceFiscaleAround(text, at));
      default:
        return undefined;
    }
  }

  #add(detector: Builtin, span: Span | undefined): number | undefined {
    if (span === undefined) return undefined;
    addFinding(this.#found, { start: span.start, end: span.end, tags: BUILTIN_TAGS[detector], detector });
    return span.end;
  }
}

/** Digits of the shortest number we know. */
const LEAST_DIGITS = 8;
const [SPACE, DASH, OPEN, ZERO] = [0x20, 0x2d, 0x28, 0x30];

/**
 * End of a run of ASCII digits that is too short for any number we know: most numbers and dates in texts. 0 if it needs
 * a closer look, as does one that `%` precedes (`%40` is an `@`), or letters or a bracket that make more of it.
 */
function shortRunEnd(text: Stretch, from: number): number {
  const { bytes, start, end } = text;
  const before = from > start ? bytes[from - 1]! : 0;
  if (before === 0x25 || before === OPEN || lettersBefore(bytes, start, from) !== LETTERS.none) return 0;
  let count = 0;
  let at = from;
  let byte = bytes[at]!;
  for (; count <= LEAST_DIGITS; byte = at < end ? bytes[at]! : 0) {
    if (DIGIT[byte] === 1) count++;
    else if (GAP[byte] === 0 || DIGIT[text.at(at + 1)] === 0) break;
    at++;
  }
  if (count > LEAST_DIGITS || (count === LEAST_DIGITS && (ALNUM[byte] === 1 || byte === DASH))) return 0;
  return GAP[byte] === 1 && GAP[text.at(at + 1)] === 1 ? 0 : at;
}

/** Octets that may stand between two digits of one number. */
const GAP = Uint8Array.from({ length: 256 }, (_, byte) =>
  Number(byte >= 0x80 || [0x20, 0x2d, 0x2e, 0x2f].includes(byte)),
);

const LETTERS = { none: 0, one: 1, two: 2, six: 6 } as const;

/** How many letters begin a word, a space or dash between or not, that the digit at `at` goes on as an id would. */
function lettersBefore(bytes: Uint8Array, start: number, at: number): number {
  const before = at > start ? bytes[at - 1]! : 0;
  if (LETTER[before] === 0)
    return before === SPACE || before === DASH ? apartBefore(bytes, start, at) : LETTERS.none;
  let first = at - 1;
  while (first > start && at - first < 7 && LETTER[bytes[first - 1]!] === 1) first--;
  if (first > start && ALNUM[bytes[first - 1]!] === 1) return LETTERS.none;
  const count = at - first;
  if (count === 1) return before >= 0x58 && before <= 0x5a ? LETTERS.one : LETTERS.none;
  return count === 2 || count === 6 ? count : LETTERS.none;
}

/** `X-1234567-L` and `AB 12 34 56 C`. */
function apartBefore(bytes: Uint8Array, start: number, at: number): number {
  const last = at - 2;
  if (last < start || UPPER[bytes[last]!] === 0) return LETTERS.none;
  const alone = last === start || ALNUM[bytes[last - 1]!] === 0;
  if (bytes[at - 1] === DASH) return alone && bytes[last]! >= 0x58 ? LETTERS.one : LETTERS.none;
  if (alone || UPPER[bytes[last - 1]!] === 0) return LETTERS.none;
  return last - 1 === start || ALNUM[bytes[last - 2]!] === 0 ? LETTERS.two : LETTERS.none;
}

/** Whether the digits at `at` begin as national telephone numbers do: in brackets, with 0, or three and a separator. */
function mayBePhone(text: Stretch, at: number): boolean {
  if (text.at(at - 1) === OPEN || text.at(at) === ZERO) return true;
  const third = text.at(at + 3);
  return third === DASH || third === 0x2e || text.at(at + 1) === DASH || text.at(at + 1) === SPACE;
}

/** Octets that a built-in detector starts from, by octet: a value without them holds nothing that one finds. */
export const TELLING = TRIGGERS.map((trigger) => Number(trigger !== TRIGGER.none));

/** First place at or after `from` where a telling octet stands, or `end`. A loop of its own: most octets tell nothing. */
function nextTelling(bytes: Uint8Array, from: number, end: number): number {
  let at = from;
  while (at < end && TRIGGERS[bytes[at]!] === TRIGGER.none) at++;
  return at;
}

/**
 * Whether a value holds anything that a built-in detector starts from: enough digits, or a telling octet whose neighbours
 * do not say at once that it tells nothing. Octets outside `start` … `end` are not looked at.
 *
 * @param from No octet before it is one of `TELLING`.
 */
export function isTelling(bytes: Uint8Array, start: number, end: number, from: number): boolean {
  let digits = 0;
  for (let at = nextTelling(bytes, from, end); at < end; at = nextTelling(bytes, at + 1, end)) {
    const trigger = TRIGGERS[bytes[at]!]!;
    if (trigger !== TRIGGER.digit) {
      if (!tellsNothing(trigger, bytes, at, start, end)) return true;
    } else if (++digits >= LEAST_DIGITS || (at > start && bytes[at - 1] === 0x25)) return true;
    else if (at + 1 < end && DIGIT[bytes[at + 1]!] === 1 && lettersBefore(bytes, start, at) !== LETTERS.none)
      return true;
  }
  return false;
}

/** The two octets that may stand before the first `_` or `-` of a vendor's key, as one number; what may follow its `A`. */
const BEFORE_MARK = new Uint8Array(65_536);
for (const [key] of VENDOR_KEYS) {
  const mark = key.search(/[_-]/);
  if (mark > 1) BEFORE_MARK[(key.charCodeAt(mark - 2) << 8) | key.charCodeAt(mark - 1)] = 1;
}
const AFTER_A = Uint8Array.from({ length: 256 }, (_, byte) =>
  Number('BCIKS'.includes(String.fromCharCode(byte))),
);

/** Whether the neighbours of the telling octet at `at`, from `start` to `end`, show at once that it tells nothing. */
function tellsNothing(trigger: number, bytes: Uint8Array, at: number, start: number, end: number): boolean {
  const after = at + 1 < end ? bytes[at + 1]! : 0;
  if (trigger === TRIGGER.letterA) return AFTER_A[after] === 0;
  const before = at > start ? bytes[at - 1]! : 0;
  if (trigger === TRIGGER.letterJ) return before !== 0x79;
  if (trigger !== TRIGGER.dash && trigger !== TRIGGER.underscore) return false;
  if (trigger === TRIGGER.dash && after === 0x2d) return false;
  return at - 2 < start || BEFORE_MARK[(bytes[at - 2]! << 8) | before] === 0;
}
