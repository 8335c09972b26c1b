import { beginsAlone } from '../places.ts';
import type { Stretch } from '../stretch.ts';
import { ALNUM, LETTER } from './characters.ts';
import { type DigitRun, SEPARATOR } from './digit-run.ts';
import type { Span } from './span.ts';

/** Calling code, then least and most digits that follow it. @see https://www.itu.int/rec/T-REC-E.164 */
const LENGTHS: readonly (readonly [number, readonly [number, number]])[] = [
  ...lengths('1 7 30 52 58 90 91 98', 10, 10),
  ...lengths('27 31 33 34 40 41 48 56 61 93 94 351 380 420 421 966', 9, 9),
  ...lengths('45 47 65 852', 8, 8),
  ...lengths('32 36 51 66 971 972 886', 8, 9),
  ...lengths('20 57 60 63 64', 8, 10),
  ...lengths('44 84 92 81', 9, 10),
  ...lengths('54 55 86', 10, 11),
  ...lengths('39 62', 6, 12),
  ...lengths('43 49', 6, 13),
  ...lengths('46 95', 7, 10),
  ...lengths('53', 6, 8),
  ...lengths('82', 8, 11),
  ...lengths(
    '211 212 213 216 218 220 221 222 223 224 225 226 227 228 229 230 231 232 233 234 235 236 237 238 239 240 241 242 243 ' +
      '244 245 246 247 248 249 250 251 252 253 254 255 256 257 258 260 261 262 263 264 265 266 267 268 269 290 291 297 298 ' +
      '299 350 352 353 354 355 356 357 358 359 370 371 372 373 374 375 376 377 378 379 381 382 383 385 386 387 389 423 500 ' +
      '501 502 503 504 505 506 507 508 509 590 591 592 593 594 595 596 597 598 599 670 672 673 674 675 676 677 678 679 680 ' +
      '681 682 683 685 686 687 688 689 690 691 692 850 853 855 856 880 960 961 962 963 964 965 967 968 970 973 974 975 976 ' +
      '977 992 993 994 995 996 998',
    6,
    11,
  ),
];
/** By calling code; 0 where there is none. */
const LEAST = new Uint8Array(1000);
const MOST = new Uint8Array(1000);
for (const [code, [least, most]] of LENGTHS) {
  LEAST[code] = least;
  MOST[code] = most;
}

function lengths(codes: string, least: number, most: number): [number, readonly [number, number]][] {
  return codes.split(' ').map((code) => [Number(code), [least, most]]);
}

const OPEN = 0x28;
const CROSS = 0x78;

/** The international number that starts with the `+` at `at`: a calling code and as many digits as it has. */
export function internationalAt(text: Stretch, at: number, run: DigitRun): Span | undefined {
  const before = text.at(at - 1);
  if (ALNUM[before] === 1 || before >= 0x80) return undefined;
  if (!run.read(text, at + (text.at(at + 1) === OPEN ? 2 : 1), true)) return undefined;
  const code = callingCode(run.digits, run.length);
  if (code === 0) return undefined;
  const least = LEAST[code]!;
  const most = MOST[code]!;
  const prefix = code < 10 ? 1 : code < 100 ? 2 : 3;
  let last = -1;
  let dots = 0;
  let others = 0;
  let trunk = 0;
  for (let group = 0; group < run.groups; group++) {
    // `+49 (0)30`: dialled at home only.
    if (run.size(group) === 1 && group > 0 && run.digits[run.first[group]!] === 0) trunk = 1;
    const length = run.first[group + 1]! - prefix - trunk;
    if (length > most) break;
    if (length >= least && (dots === 0 || (dots > 1 && others === 0))) last = group;
    if (run.gaps[group] === SEPARATOR.dot) dots++;
    else others++;
  }
  if (last === -1) return undefined;
  const end = run.ends[last]!;
  return LETTER[text.at(end)] === 1 && (text.at(end) | 0x20) !== CROSS ? undefined : { start: at, end };
}

/** 0 if there is none, or the number behind it cannot be one. */
function callingCode(digits: Uint8Array, length: number): number {
  if (length < 8) return 0;
  const one = digits[0]!;
  const two = digits[1]!;
  // North America: area codes and exchanges begin with 2 … 9.
  if (one === 1) return length >= 11 && two >= 2 && digits[4]! >= 2 ? 1 : 0;
  if (one === 7) return 7;
  if (one === 0) return 0;
  const short = one * 10 + two;
  if (LEAST[short] !== 0) return short;
  const long = short * 10 + digits[2]!;
  return LEAST[long] === 0 ? 0 : long;
}

/** Longest of the national forms. */
const NATIONAL_MAX_BYTES = 24;
const BEHIND = String.raw`(?![A-Za-z0-9]|[-./ ]\d|-[A-Za-z])`;
const form = (pattern: string) => new RegExp(`^(?:${pattern})${BEHIND}`);

/** United States and Canada: `(415) 555-2671`, `415-555-2671`, `415.555.2671`, `1-415-555-2671`. */
const NORTH_AMERICA = form(String.raw`(?:1[-. ])?(?:\([2-9][0-8]\d\) ?|[2-9][0-8]\d[-.])[2-9]\d{2}[-.]\d{4}`);

const FROM_ZERO = form(
  [
    // France: `06 12 34 56 78`
    String.raw`0[1-9]([ .-])\d\d(?:\1\d\d){3}`,
    // United Kingdom: `020 7183 8750`, `0161 496 0000`, `01632 960001`, `07700 900 123`
    String.raw`\(?02[03489]\)?[ -]\d{4}[ -]?\d{4}`,
    String.raw`\(?01(?:1\d|\d1)\)?[ -]\d{3}[ -]?\d{4}`,
    String.raw`\(?0(?:1[2-9]\d{2}|7\d{3})\)?[ -](?:\d{6}|\d{3}[ -]\d{3})`,
    // Germany: `0151 12345678`, `030 1234567`, `0221/1234567`, `(06221) 123456`
    String.raw`01[567]\d{1,2}[ /-]\d{7,8}`,
    String.raw`(?:0[348]0|0[68]9)[ -]\d{6,8}`,
    String.raw`0[2-9]\d{1,3} ?/ ?\d{5,8}`,
    String.raw`\(0[2-9]\d{1,3}\) ?\d{5,8}`,
    // Netherlands: `06-12345678`, `06 1234 5678`, `020-1234567`, `0570-123456`
    String.raw`06[ -]\d{8}|06 \d{4} \d{4}`,
    String.raw`0[1-57]\d-\d{7}|0[1-57]\d{2}-\d{6}`,
  ].join('|'),
);

/** A number of one of the named countries in its national form, whose first digit is at `digits`. */
export function nationalAt(text: Stretch, digits: number): Span | undefined {
  const start = text.at(digits - 1) === OPEN ? digits - 1 : digits;
  if (!beginsAlone(text, start) || text.at(start - 1) === 0x2b) return undefined;
  const forms = text.at(digits) === 0x30 ? FROM_ZERO : NORTH_AMERICA;
  const match = forms.exec(text.text(start, start + NATIONAL_MAX_BYTES));
  return match === null ? undefined : { start, end: start + match[0].length };
}
