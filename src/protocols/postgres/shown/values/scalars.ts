/**
 * What the binary forms of PostgreSQL's own scalar types say, as text that detectors can read.
 *
 * @see the `…send` functions in PostgreSQL's src/backend/utils/adt
 */

/** @throws {RangeError} The value is shorter than its type. */
type ToText = (value: Buffer) => string;

export interface Scalar {
  /** Of the binary form. */
  readonly text: ToText;
  /** Where no built-in detector knows anything that can stand in it: a look is for configured ones alone. */
  readonly plain: 'always' | 'in text' | 'never';
}

const POSTGRES_EPOCH_MS = Date.UTC(2000, 0, 1);
const DAY_MS = 86_400_000;

const int = (value: Buffer) => value.readIntBE(0, value.length).toString();
const uint32 = (value: Buffer) => value.readUInt32BE(0).toString();
const int8 = (value: Buffer) => value.readBigInt64BE(0).toString();
const uint64 = (value: Buffer) => value.readBigUInt64BE(0).toString();

/** Whole numbers are written out: 4.111111111111111e15 is a card number as well. */
const float = (value: Buffer) =>
  wholeNumber(value.length === 4 ? value.readFloatBE(0) : value.readDoubleBE(0));

export function wholeNumber(value: number): string {
  return Number.isSafeInteger(value) ? BigInt(value).toString() : String(value);
}

const NUMERIC_SPECIAL: Readonly<Record<number, string>> = {
  49152: 'NaN',
  53248: 'Infinity',
  61440: '-Infinity',
};
const NUMERIC_NEGATIVE = 0x4000;

/** Int16 count, weight, sign and scale, then digits to base 10000. */
function numeric(value: Buffer): string {
  const count = value.readUInt16BE(0);
  const weight = value.readInt16BE(2);
  const sign = value.readUInt16BE(4);
  const scale = value.readUInt16BE(6);
  const special = NUMERIC_SPECIAL[sign];
  if (special !== undefined) return special;
  const digit = (place: number) => {
    const index = weight - place;
    return (index >= 0 && index < count ? value.readUInt16BE(8 + 2 * index) : 0).toString().padStart(4, '0');
  };
  let whole = '';
  for (let place = weight; place >= 0; place--) whole += digit(place);
  let fraction = '';
  for (let place = -1; fraction.length < scale; place--) fraction += digit(place);
  const text = whole.replace(/^0+(?=.)/, '') || '0';
  return (
    (sign === NUMERIC_NEGATIVE ? '-' : '') + (scale === 0 ? text : `${text}.${fraction.slice(0, scale)}`)
  );
}

const date = (value: Buffer) => isoDay(value.readInt32BE(0) * DAY_MS);
const timestamp = (value: Buffer) => {
  const ms = Number(value.readBigInt64BE(0) / 1000n);
  return `${isoDay(ms)} ${time(ms)}${asNumber(value)}`;
};

/** Of microseconds: those that no day of our times has, and that may be a card's number put into it. */
const LEAST_NUMBER = 10n ** 15n;

/** The octets as a number, behind a line end; nothing if it is one that stands for itself. */
function asNumber(value: Buffer): string {
  const number = value.readBigInt64BE(0);
  return number < LEAST_NUMBER ? '' : `\n${number}`;
}

/** Infinity and what lies beyond the years of a Date has nothing to tell. */
function isoDay(sinceEpochMs: number): string {
  const at = new Date(POSTGRES_EPOCH_MS + sinceEpochMs);
  return Number.isNaN(at.getTime()) ? 'infinity' : at.toISOString().slice(0, 10);
}

const time = (ms: number) => new Date(((ms % DAY_MS) + DAY_MS) % DAY_MS).toISOString().slice(11, 23);
const timeOfDay = (value: Buffer) => time(Number(value.readBigInt64BE(0) / 1000n));

const interval = (value: Buffer) =>
  `${value.readInt32BE(12)} mons ${value.readInt32BE(8)} days ${Number(value.readBigInt64BE(0)) / 1e6}${asNumber(value)}`;

const uuid = (value: Buffer) =>
  value.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.*)$/, '$1-$2-$3-$4-$5');

/** Family, bits, whether it is a cidr, length, then the address. */
function inet(value: Buffer): string {
  const address = value.subarray(4, 4 + value.readUInt8(3));
  const parts = address.length === 4 ? [...address] : (address.toString('hex').match(/.{4}/g) ?? []);
  return `${parts.join(address.length === 4 ? '.' : ':')}/${value.readUInt8(1)}`;
}

const macaddr = (value: Buffer) => value.toString('hex').match(/../g)?.join(':') ?? '';

/** Cents, or whatever the smallest unit of `lc_monetary` is; hundreds of them make whole ones nearly everywhere. */
const money = (value: Buffer) => `${value.readBigInt64BE(0) / 100n}${asNumber(value)}`;

/** Float8s, behind `skip` octets. */
const floats = (skip: number) => (value: Buffer) => {
  const out: string[] = [];
  for (let at = skip; at + 8 <= value.length; at += 8) out.push(wholeNumber(value.readDoubleBE(at)));
  return `(${out.join(',')})`;
};

/** The number of bits, then the bits: as ones and noughts, and as the octets that they may be. */
const bits = (value: Buffer) => {
  const octets = value.subarray(4);
  const number = octets.length === 8 ? asNumber(octets) : '';
  return `${octets.toString('latin1')}\n${bitText(octets).slice(0, value.readUInt32BE(0))}${number}`;
};

function bitText(octets: Buffer): string {
  return [...octets].map((octet) => octet.toString(2).padStart(8, '0')).join('');
}

const lsn = (value: Buffer) =>
  `${value.readUInt32BE(0).toString(16)}/${value.readUInt32BE(4).toString(16)}${asNumber(value)}`.toUpperCase();
const tid = (value: Buffer) => `(${value.readUInt32BE(0)},${value.readUInt16BE(4)})`;

/** Int32 number, then xmin, xmax and as many ids. */
const snapshot = (value: Buffer) => {
  const out: string[] = [];
  for (let at = 4; at + 8 <= value.length; at += 8) out.push(value.readBigUInt64BE(at).toString());
  return out.join(':');
};

const looked = (text: ToText): Scalar => ({ text, plain: 'never' });
/** Its octets may be a number that its text does not show. */
const lookedInBinary = (text: ToText): Scalar => ({ text, plain: 'in text' });
const plain = (text: ToText): Scalar => ({ text, plain: 'always' });

/** Types that look like an OID: `regclass` and its kin are sent as one. */
const OID_LIKE = [26, 24, 2202, 2203, 2204, 2205, 2206, 4191, 4096, 4089, 3734, 3769, 28, 29];

/** By type OID. */
export const SCALARS: ReadonlyMap<number, Scalar> = new Map([
  [16, plain((value) => (value.readUInt8(0) === 0 ? 'f' : 't'))],
  [20, looked(int8)],
  [21, plain(int)],
  [23, plain(int)],
  ...OID_LIKE.map((oid) => [oid, plain(uint32)] as const),
  [27, plain(tid)],
  [600, looked(floats(0))],
  [601, looked(floats(0))],
  [602, looked(floats(5))],
  [603, looked(floats(0))],
  [604, looked(floats(4))],
  [628, looked(floats(0))],
  [718, looked(floats(0))],
  [650, plain(inet)],
  [869, plain(inet)],
  [700, looked(float)],
  [701, looked(float)],
  [774, plain(macaddr)],
  [829, plain(macaddr)],
  [790, looked(money)],
  [1082, plain(date)],
  [1083, plain(timeOfDay)],
  [1114, lookedInBinary(timestamp)],
  [1184, lookedInBinary(timestamp)],
  [1186, lookedInBinary(interval)],
  [1266, plain(timeOfDay)],
  [1560, looked(bits)],
  [1562, looked(bits)],
  [1700, looked(numeric)],
  [2278, plain(() => '')],
  [2950, plain(uuid)],
  [2970, looked(snapshot)],
  [5038, looked(snapshot)],
  [3220, lookedInBinary(lsn)],
  [5069, looked(uint64)],
]);
