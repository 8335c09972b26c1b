import type { Stretch } from '../stretch.ts';
import {
  ALNUM,
  DIGIT,
  EMAIL_DOMAIN,
  EMAIL_LOCAL,
  EMAIL_LOCAL_ANY,
  KEY_BODY,
  LETTER,
  UPPER_ALNUM,
} from './characters.ts';
import type { Span } from './span.ts';

/**
 * The e-mail address around an `@` (or `%40`, or a fullwidth `＠`) of `width` octets at `at`.
 *
 * The domain needs a dot and a top-level label of letters. At most 256 octets are looked at on either side.
 */
export function emailAround(text: Stretch, at: number, width: number): Span | undefined {
  let start = text.spanStart(at, EMAIL_LOCAL, 256);
  while (start < at && (text.at(start) === 0x27 || text.at(start) === 0x2e)) start++;
  if (start === at) start = text.spanStart(at, EMAIL_LOCAL_ANY, 256);
  if (start === at) return undefined;
  const domain = at + width;
  let end = text.spanEnd(domain, EMAIL_DOMAIN, 256);
  while (end > domain && (text.at(end - 1) === 0x2e || text.at(end - 1) === 0x2d)) end--;
  for (let dot = end - 1; dot > domain; dot--) {
    if (text.at(dot) !== 0x2e) continue;
    const lead = text.at(dot + 1);
    if (end - dot >= 3 && (LETTER[lead] === 1 || lead >= 0x80))
      return isVersion(text, domain, end) || isRemote(text, start, at) ? undefined : { start, end };
    // What follows this dot is no part of the address: `a@b.example.1`.
    end = dot;
  }
  return undefined;
}

const VERSION_OR_SCALE = /^(?:\d+\.\d+\.\d+-|\d(?:\.\d)?x\.(?:png|jpe?g|gif|webp|avif|svg)$)/i;

/** `pkg@1.2.0-beta.next`, `logo@2x.png`: what stands behind the `@` is a version or a scale. */
function isVersion(text: Stretch, domain: number, end: number): boolean {
  return DIGIT[text.at(domain)] === 1 && VERSION_OR_SCALE.test(text.text(domain, Math.min(end, domain + 64)));
}

/** `git@github.com`: how a repository is reached, nobody's address. */
function isRemote(text: Stretch, start: number, at: number): boolean {
  return at - start === 3 && text.spells(start, 'git');
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
export function vendorKeyAt(text: Stretch, at: number): Span | undefined {
  const telling = text.at(at);
  const keys = telling === 0x5f ? UNDERSCORE_KEYS : telling === 0x2d ? DASH_KEYS : LETTER_KEYS;
  for (let i = 0; i < keys.length; i++) {
    const { prefix, offset, least } = keys[i]!;
    const start = at - offset;
    if (!text.spells(start, prefix) || ALNUM[text.at(start - 1)] === 1) continue;
    const body = start + prefix.length;
    const end = text.spanEnd(body, KEY_BODY);
    if (end - body >= least) return { start, end };
  }
  return undefined;
}

const AWS_PREFIXES = ['AKIA', 'ASIA', 'ABIA', 'ACCA'];

/** `AKIA…` and its kin: 20 upper-case letters and digits. @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html */
export function awsKeyAt(text: Stretch, at: number): Span | undefined {
  if (text.at(at + 3) !== 0x41 || (text.at(at + 2) !== 0x49 && text.at(at + 2) !== 0x43)) return undefined;
  if (!AWS_PREFIXES.some((prefix) => text.spells(at, prefix)) || ALNUM[text.at(at - 1)] === 1)
    return undefined;
  const end = text.spanEnd(at, UPPER_ALNUM, 21);
  return end - at === 20 && ALNUM[text.at(end)] !== 1 ? { start: at, end } : undefined;
}

/** A JWT whose `eyJ` has its `J` at `at`: three parts, the last may be empty. @see RFC 7519 §3 */
export function jwtAround(text: Stretch, at: number): Span | undefined {
  const start = at - 2;
  if (!text.spells(start, 'eyJ') || KEY_BODY[text.at(start - 1)] === 1) return undefined;
  const header = text.spanEnd(start, KEY_BODY);
  if (text.at(header) !== 0x2e || !text.spells(header + 1, 'eyJ')) return undefined;
  const payload = text.spanEnd(header + 1, KEY_BODY);
  if (text.at(payload) !== 0x2e) return undefined;
  return { start, end: text.spanEnd(payload + 1, KEY_BODY) };
}

/** A PEM or PGP private key from `-----BEGIN` at `at` to its end mark, else to the end of the value. @see RFC 7468 */
export function privateKeyAt(text: Stretch, at: number): Span | undefined {
  if (!text.spells(at, '-----BEGIN ')) return undefined;
  if (!/^-----BEGIN [A-Z0-9 ]*PRIVATE KEY( BLOCK)?-----/.test(text.text(at, at + 80))) return undefined;
  const view = Buffer.from(text.bytes.buffer, text.bytes.byteOffset + at, text.end - at);
  const close = view.indexOf('-----END ', 11, 'latin1');
  const tail = close === -1 ? -1 : view.indexOf('-----', close + 9, 'latin1');
  return { start: at, end: tail === -1 || tail > close + 80 ? text.end : at + tail + 5 };
}
