import { ALNUM, DIGIT, LETTER, spells } from './characters.ts';
import { DigitRun } from './digit-run.ts';
import { addFinding, type Finding } from './finding.ts';
import type { NumberDetector } from './numbers.ts';
import { findNumbers } from './numbers.ts';
import type { Span } from './tokens.ts';
import {
  awsKeyAt,
  emailAround,
  ibanAround,
  jwtAround,
  phoneAt,
  privateKeyAt,
  VENDOR_KEYS,
  vendorKeyAt,
} from './tokens.ts';

/** Tags by detector: what policies ask for. Frozen, shared by all findings. */
export const BUILTIN_TAGS = {
  card: ['pii.card'],
  email: ['pii.email'],
  phone: ['pii.phone'],
  iban: ['pii.iban'],
  'us-ssn': ['pii.national-id'],
  'br-cpf': ['pii.national-id'],
  'fr-nir': ['pii.national-id'],
  'in-aadhaar': ['pii.national-id'],
  'es-dni': ['pii.national-id'],
  'se-personnummer': ['pii.national-id'],
  'aws-access-key': ['secret.key'],
  'private-key': ['secret.key'],
  jwt: ['secret.key'],
  'vendor-key': ['secret.key'],
} as const satisfies Record<NumberDetector, readonly string[]> & Record<string, readonly string[]>;

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
 */
export class BuiltinScanner {
  readonly #run = new DigitRun();
  #value: Uint8Array = new Uint8Array();
  #found: Finding[] = [];
  readonly #onNumber = (start: number, end: number, detector: NumberDetector) =>
    this.#add(detector, { start, end });

  scan(value: Uint8Array, found: Finding[]): void {
    this.#value = value;
    this.#found = found;
    const length = value.length;
    for (let at = nextTelling(value, 0, length); at < length; at = nextTelling(value, at, length)) {
      const trigger = TRIGGERS[value[at]!]!;
      if (trigger === TRIGGER.digit) at = shortRunEnd(value, at) || this.#number(at);
      else at = tellsNothing(trigger, value, at, 0, length) ? at + 1 : this.#look(trigger, at);
    }
  }

  /** Looks closer at `at`; returns where to go on. */
  #look(trigger: number, at: number): number {
    const value = this.#value;
    switch (trigger) {
      case TRIGGER.digit:
        return this.#number(at);
      case TRIGGER.at:
        return this.#add('email', emailAround(value, at, 1)) ?? at + 1;
      case TRIGGER.plus:
        this.#add('phone', phoneAt(value, at, this.#run));
        return at + 1;
      case TRIGGER.dash:
        if (value[at + 1] === 0x2d) return this.#add('private-key', privateKeyAt(value, at)) ?? at + 1;
        return this.#add('vendor-key', vendorKeyAt(value, at)) ?? at + 1;
      case TRIGGER.underscore:
        return this.#add('vendor-key', vendorKeyAt(value, at)) ?? at + 1;
      case TRIGGER.letterA:
        return (
          this.#add('aws-access-key', awsKeyAt(value, at)) ??
          this.#add('vendor-key', vendorKeyAt(value, at)) ??
          at + 1
        );
      case TRIGGER.letterJ:
        return this.#add('jwt', jwtAround(value, at)) ?? at + 1;
      default:
        return spells(value, at, '\xef\xbc\xa0')
          ? (this.#add('email', emailAround(value, at, 3)) ?? at + 3)
          : this.#number(at);
    }
  }

  #number(at: number): number {
    const value = this.#value;
    if (!this.#run.read(value, at, false)) return this.#run.next;
    const next = this.#run.next;
    if (at > 1) this.#add('iban', ibanAround(value, at));
    if (at > 0 && value[at - 1] === 0x25 && spells(value, at, '40'))
      this.#add('email', emailAround(value, at - 1, 3));
    findNumbers(value, this.#run, this.#onNumber);
    return next;
  }

  #add(detector: Builtin, span: Span | undefined): number | undefined {
    if (span === undefined) return undefined;
    addFinding(this.#found, { start: span.start, end: span.end, tags: BUILTIN_TAGS[detector], detector });
    return span.end;
  }
}

/** Digits of the shortest number we know, and of a longer one that is none where it is not in groups. */
const LEAST_DIGITS = 8;
const LONGEST_PLAIN_DIGITS = 12;

/**
 * End of a run of ASCII digits that is too short for any number we know: most numbers and dates in texts. 0 if it needs
 * a closer look, as does one that `%` precedes (`%40` is an `@`) or that may begin an IBAN.
 */
function shortRunEnd(value: Uint8Array, from: number): number {
  if (from > 0 && (value[from - 1] === 0x25 || startsIban(value, 0, from, value.length))) return 0;
  let [count, most] = [0, LONGEST_PLAIN_DIGITS];
  let at = from;
  let byte = value[at] ?? 0;
  for (; count <= most; byte = value[++at] ?? 0) {
    if (DIGIT[byte] === 1) count++;
    else if (GAP[byte] === 0 || DIGIT[value[at + 1] ?? 0] === 0) break;
    else most = LEAST_DIGITS;
  }
  if (count > most || (count === LEAST_DIGITS && ALNUM[byte] === 1)) return 0;
  return GAP[byte] === 1 && GAP[value[at + 1] ?? 0] === 1 ? 0 : at;
}

/** Whether the digit at `at` may be an IBAN's first check digit: two letters before it that begin a word, a digit behind. */
function startsIban(value: Uint8Array, start: number, at: number, end: number): boolean {
  if (at - 2 < start || LETTER[value[at - 1]!] === 0 || LETTER[value[at - 2]!] === 0) return false;
  return at + 1 < end && DIGIT[value[at + 1]!] === 1 && (at - 3 < start || ALNUM[value[at - 3]!] === 0);
}

/** Octets that may stand between two digits of one number. */
const GAP = Uint8Array.from({ length: 256 }, (_, byte) =>
  Number(byte >= 0x80 || [0x20, 0x2d, 0x2e].includes(byte)),
);

/** First place at or after `from` where a telling octet stands, or `end`. A loop of its own: most octets tell nothing. */
function nextTelling(bytes: Uint8Array, from: number, end: number): number {
  let at = from;
  while (at < end && TRIGGERS[bytes[at]!] === TRIGGER.none) at++;
  return at;
}

/**
 * Whether a value holds anything that a built-in detector starts from: enough digits, or a telling octet whose neighbours
 * do not say at once that it tells nothing. Octets outside `start` … `end` are not looked at.
 */
export function isTelling(bytes: Uint8Array, start: number, end: number): boolean {
  let digits = 0;
  for (let at = nextTelling(bytes, start, end); at < end; at = nextTelling(bytes, at + 1, end)) {
    const trigger = TRIGGERS[bytes[at]!]!;
    if (trigger !== TRIGGER.digit) {
      if (!tellsNothing(trigger, bytes, at, start, end)) return true;
    } else if (++digits >= LEAST_DIGITS || (at > start && bytes[at - 1] === 0x25)) return true;
    else if (startsIban(bytes, start, at, end)) return true;
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
