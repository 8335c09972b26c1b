import {
  ALNUM,
  DIGIT,
  EMAIL_DOMAIN,
  EMAIL_LOCAL,
  EMAIL_LOCAL_ANY,
  KEY_BODY,
  LETTER,
  spanEnd,
  spanStart,
  spells,
  UPPER_ALNUM,
} from './characters.ts';
import { ibanValid } from './checksums.ts';
import type { DigitRun } from './digit-run.ts';

/** Octets `start` … `end` of what was found. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/**
 * The e-mail address around an `@` (or `%40`, or a fullwidth `＠`) of `width` octets at `at`.
 *
 * The domain needs a dot and a top-level label of letters. At most 256 octets are looked at on either side.
 */
export function emailAround(bytes: Uint8Array, at: number, width: number): Span | undefined {
  let start = spanStart(bytes, at, EMAIL_LOCAL, 256);
  while (start < at && (bytes[start] === 0x27 || bytes[start] === 0x2e)) start++;
  if (start === at) start = spanStart(bytes, at, EMAIL_LOCAL_ANY, 256);
  if (start === at) return undefined;
  let end = spanEnd(bytes, at + width, EMAIL_DOMAIN, 256);
  while (end > at + width && (bytes[end - 1] === 0x2e || bytes[end - 1] === 0x2d)) end--;
  for (let dot = end - 1; dot > at + width; dot--) {
    if (bytes[dot] !== 0x2e) continue;
    const lead = bytes[dot + 1]!;
    if (end - dot >= 3 && (LETTER[lead] === 1 || lead >= 0x80)) return { start, end };
    // What follows this dot is no part of the address: `a@b.example.1`.
    end = dot;
  }
  return undefined;
}

/**
 * The telephone number that starts with the `+` at `at`: 8 … 15 digits after it, with a country code that exists.
 *
 * @see https://www.itu.int/rec/T-REC-E.164
 */
export function phoneAt(bytes: Uint8Array, at: number, run: DigitRun): Span | undefined {
  if (at > 0 && (ALNUM[bytes[at - 1]!] === 1 || bytes[at - 1]! >= 0x80)) return undefined;
  const open = bytes[at + 1] === 0x28 ? 2 : 1;
  if (!run.read(bytes, at + open, true)) return undefined;
  let last = run.groups - 1;
  while (last >= 0 && run.first[last + 1]! > 15) last--;
  const length = last < 0 ? 0 : run.first[last + 1]!;
  if (length < 8 || !countryCode(run.digits, length)) return undefined;
  return { start: at, end: run.ends[last]! };
}

function countryCode(digits: Uint8Array, length: number): boolean {
  const [one, two] = [digits[0]!, digits[1]!];
  if (one === 1) return length >= 11 && two >= 2 && digits[4]! >= 2;
  if (one === 7) return length >= 11;
  const both = one * 10 + two;
  return one !== 0 && both !== 28 && both !== 83 && both !== 89;
}

/** Country and total length, as registered. @see https://www.swift.com/standards/data-standards/iban */
const IBAN_LENGTHS = new Map(
  (
    'AD24AE23AL28AT20AZ28BA20BE16BG22BH22BI27BR29BY28CH21CR22CY28CZ24DE22DJ27DK18DO28EE20EG29ES24FI18FK18FO18FR27' +
    'GB22GE22GI23GL18GR27GT28HN28HR21HU28IE22IL23IQ23IS26IT27JO30KW30KZ20LB28LC32LI21LT20LU20LV21LY25MC27MD24ME22' +
    'MK19MN20MR27MT31MU30NI28NL18NO15OM23PK24PL28PS29PT25QA29RO24RS22RU33SA24SC31SD18SE24SI19SK24SM27SO23ST25SV28' +
    'TL23TN24TR26UA29VA22VG24XK20YE30'
  )
    .match(/[A-Z]{2}\d\d/g)!
    .map((entry) => [entry.slice(0, 2), Number(entry.slice(2))]),
);

/** The IBAN whose two check digits start at `digits`, compact or in groups set apart by single spaces or dashes. */
export function ibanAround(bytes: Uint8Array, digits: number): Span | undefined {
  const start = digits - 2;
  if (start < 0 || LETTER[bytes[start]!] !== 1 || LETTER[bytes[start + 1]!] !== 1) return undefined;
  if (start > 0 && ALNUM[bytes[start - 1]!] === 1) return undefined;
  const length = IBAN_LENGTHS.get(String.fromCharCode(bytes[start]!, bytes[start + 1]!).toUpperCase());
  if (length === undefined) return undefined;
  let compact = '';
  let at = start;
  for (; at < bytes.length && compact.length < length; at++) {
    const byte = bytes[at]!;
    if (ALNUM[byte] === 1) compact += String.fromCharCode(byte);
    else if ((byte !== 0x20 && byte !== 0x2d) || ALNUM[bytes[at + 1] ?? 0] !== 1) return undefined;
  }
  if (compact.length < length || ALNUM[bytes[at] ?? 0] === 1 || DIGIT[bytes[digits + 1] ?? 0] !== 1)
    return undefined;
  return ibanValid(compact) ? { start, end: at } : undefined;
}

/** Prefix → least octets of the body that follows; the body is letters, digits, `_` and `-`. */
export const VENDOR_KEYS: readonly (readonly [string, number])[] = [
  ...['ghp_', 'gho_', 'ghu_', 'ghs_', 'ghr_', 'npm_'].map((prefix) => [prefix, 30] as const),
  ['github_pat_', 22],
  ['glpat-', 20],
  ['xoxb-', 10],
  ['xoxp-', 10],
  ['xoxa-', 10],
  ['xoxr-', 10],
  ['xoxs-', 10],
  ['xapp-', 10],
  ['sk_live_', 16],
  ['sk_test_', 16],
  ['rk_live_', 16],
  ['rk_test_', 16],
  ['sk-', 32],
  ['AIza', 35],
];

interface VendorKey {
  readonly prefix: string;
  /** Of the telling octet within the prefix. */
  readonly offset: number;
  readonly least: number;
}

/** By telling octet, which is what the scanner stops at: the first `_`, `-` or `A` of the prefix. */
const BY_TELLING = new Map(
  ['_', '-', 'A'].map((telling) => [
    telling.charCodeAt(0),
    VENDOR_KEYS.filter(([prefix]) => /[_\-A]/.exec(prefix)?.[0] === telling).map(
      ([prefix, least]): VendorKey => ({ prefix, offset: prefix.indexOf(telling), least }),
    ),
  ]),
);
const UNDERSCORE_KEYS = BY_TELLING.get(0x5f)!;
const DASH_KEYS = BY_TELLING.get(0x2d)!;
const LETTER_KEYS = BY_TELLING.get(0x41)!;

/** A vendor's key whose prefix has its telling octet (`_`, `-`, `A`) at `at`. */
export function vendorKeyAt(bytes: Uint8Array, at: number): Span | undefined {
  const telling = bytes[at]!;
  const keys = telling === 0x5f ? UNDERSCORE_KEYS : telling === 0x2d ? DASH_KEYS : LETTER_KEYS;
  for (let i = 0; i < keys.length; i++) {
    const { prefix, offset, least } = keys[i]!;
    const start = at - offset;
    if (!spells(bytes, start, prefix) || (start > 0 && ALNUM[bytes[start - 1]!] === 1)) continue;
    const body = start + prefix.length;
    const end = spanEnd(bytes, body, KEY_BODY);
    if (end - body >= least) return { start, end };
  }
  return undefined;
}

const AWS_PREFIXES = ['AKIA', 'ASIA', 'ABIA', 'ACCA'];

/** `AKIA…` and its kin: 20 upper-case letters and digits. @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html */
export function awsKeyAt(bytes: Uint8Array, at: number): Span | undefined {
  if (bytes[at + 3] !== 0x41 || (bytes[at + 2] !== 0x49 && bytes[at + 2] !== 0x43)) return undefined;
  if (!AWS_PREFIXES.some((prefix) => spells(bytes, at, prefix)) || (at > 0 && ALNUM[bytes[at - 1]!] === 1))
    return undefined;
  const end = spanEnd(bytes, at, UPPER_ALNUM, 21);
  return end - at === 20 && ALNUM[bytes[end] ?? 0] !== 1 ? { start: at, end } : undefined;
}

/** A JWT whose `eyJ` has its `J` at `at`: three parts, the last may be empty. @see RFC 7519 §3 */
export function jwtAround(bytes: Uint8Array, at: number): Span | undefined {
  const start = at - 2;
  if (!spells(bytes, start, 'eyJ') || (start > 0 && KEY_BODY[bytes[start - 1]!] === 1)) return undefined;
  const header = spanEnd(bytes, start, KEY_BODY);
  if (bytes[header] !== 0x2e || !spells(bytes, header + 1, 'eyJ')) return undefined;
  const payload = spanEnd(bytes, header + 1, KEY_BODY);
  if (bytes[payload] !== 0x2e) return undefined;
  return { start, end: spanEnd(bytes, payload + 1, KEY_BODY) };
}

/** A PEM or PGP private key from `-----BEGIN` at `at` to its end mark, else to the end of the value. @see RFC 7468 */
export function privateKeyAt(bytes: Uint8Array, at: number): Span | undefined {
  if (!spells(bytes, at, '-----BEGIN ')) return undefined;
  const label = Buffer.from(bytes.buffer, bytes.byteOffset + at, Math.min(80, bytes.length - at)).toString(
    'latin1',
  );
  if (!/^-----BEGIN [A-Z0-9 ]*PRIVATE KEY( BLOCK)?-----/.test(label)) return undefined;
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const close = view.indexOf('-----END ', at + 11, 'latin1');
  if (close === -1) return { start: at, end: bytes.length };
  const tail = view.indexOf('-----', close + 9, 'latin1');
  return { start: at, end: tail === -1 || tail > close + 80 ? bytes.length : tail + 5 };
}
