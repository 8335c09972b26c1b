/**
 * Honest values: nothing in them is what a detector looks for.
 *
 * The generated ones follow the forms that their issuers publish. Others come from Natural Earth, which is in the public
 * domain, and from this repository's own lock file.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Random } from './random.ts';

export interface Corpus {
  readonly name: string;
  /** What it holds, for people. */
  readonly example: string;
  readonly make: (random: Random, index: number) => string;
  /** By its form nobody could tell it from what is looked for: measured, and no promise. */
  readonly alike?: string;
  readonly json?: boolean;
}

const HEX = '0123456789abcdef';
const UPPER = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';
const hash = (name: string, random: Random) => createHash(name).update(random.bytes(16));
const pad = (value: number, length: number) => String(value).padStart(length, '0');

function uuid(random: Random, version: number): string {
  const hex = random.text(32, HEX);
  const time =
    version === 7
      ? (1_700_000_000_000 + random.int(0, 1e11)).toString(16).padStart(12, '0')
      : hex.slice(0, 12);
  return `${time.slice(0, 8)}-${time.slice(8)}-${version}${hex.slice(13, 16)}-${random.pick(['8', '9', 'a', 'b'])}${hex.slice(17, 20)}-${hex.slice(20)}`;
}

function instant(random: Random): Date {
  return new Date(random.int(946_684_800, 1_900_000_000) * 1000 + random.int(0, 999));
}

/** Check digit as on parcels and goods: by weights 3 and 1 from the right, to a whole ten. */
function modTen(digits: string): number {
  const sum = [...digits]
    .reverse()
    .reduce((total, digit, i) => total + Number(digit) * (i % 2 === 0 ? 3 : 1), 0);
  return (10 - (sum % 10)) % 10;
}

function usps(random: Random): string {
  const body = random.pick(['9400', '9205', '9407', '9303', '9270']) + random.digits(17);
  return body + modTen(body);
}

const inFours = (digits: string) => digits.replace(/(.{4})(?=.)/g, '$1 ');

function ups(random: Random): string {
  return `1Z${random.text(6, `${UPPER}0123456789`)}${random.digits(10)}`;
}

function luhnDigit(digits: string): number {
  let sum = 0;
  [...digits].reverse().forEach((digit, i) => {
    const value = Number(digit) * (i % 2 === 0 ? 2 : 1);
    sum += value > 9 ? value - 9 : value;
  });
  return (10 - (sum % 10)) % 10;
}

function imei(random: Random): string {
  const body = random.pick(['35', '86', '01', '99']) + random.digits(12);
  return body + luhnDigit(body);
}

function position(random: Random): [number, number] {
  return [random.next() * 360 - 180, random.next() * 180 - 90];
}

function order(random: Random, index: number): string {
  const day = instant(random).toISOString().slice(0, 10);
  const serial = pad(index % 100_000, random.int(4, 6));
  return random.pick([
    `ORD-${day.slice(0, 4)}-${serial}`,
    `SO-${day.replaceAll('-', '')}-${serial}`,
    `#${random.int(1000, 999_999)}`,
    `${random.text(2, UPPER)}-${random.digits(7)}`,
    `${random.int(100, 999)}-${random.digits(7)}-${random.digits(7)}`,
    `2024${pad(random.int(1, 12), 2)}${pad(random.int(1, 28), 2)}-${serial.slice(-4)}`,
    `INV/${day.slice(0, 4)}/${serial}`,
    `${random.int(10_000_000, 99_999_999)}`,
    `R${random.digits(9)}`,
  ]);
}

function version(random: Random): string {
  const plain = `${random.int(0, 30)}.${random.int(0, 40)}.${random.int(0, 200)}`;
  return random.pick([
    plain,
    `v${plain}`,
    `${plain}-beta.${random.int(0, 20)}`,
    `^${plain}`,
    `@scope/pkg@${plain}`,
    `pkg@${plain}-rc.next`,
    `${plain}.${random.int(0, 99_999)}`,
    `${plain}+${random.text(12, HEX)}`,
    `sha256:${random.text(64, HEX)}`,
  ]);
}

function address(random: Random): string {
  const octets = Array.from({ length: 4 }, () => random.int(0, 255)).join('.');
  return random.pick([
    octets,
    `${octets}/${random.int(8, 32)}`,
    `${octets}:${random.int(1, 65_535)}`,
    Array.from({ length: 8 }, () => random.text(4, HEX)).join(':'),
    `2001:db8::${random.text(4, HEX)}`,
    Array.from({ length: 6 }, () => random.text(2, HEX)).join(random.pick([':', '-'])),
  ]);
}

/** Like a telephone number, and none: no area code, no exchange, no country has it. */
function notPhone(random: Random): string {
  return random.pick([
    `${random.pick(['0', '1'])}${random.digits(2)}-${random.digits(3)}-${random.digits(4)}`,
    `(${random.pick(['0', '1'])}${random.digits(2)}) ${random.digits(3)}-${random.digits(4)}`,
    `${random.digits(3)}-${random.pick(['0', '1'])}${random.digits(2)}-${random.digits(4)}`,
    `+${random.pick(['28', '83', '89', '0'])}${random.digits(8)}`,
    `+${random.digits(5)}`,
    `${random.digits(3)}-${random.digits(4)}`,
    `ext. ${random.digits(4)}`,
    `+${(random.next() * 90).toFixed(4)}-${pad(random.int(0, 179), 3)}.${random.digits(4)}/`,
    `UTC+${pad(random.int(0, 14), 2)}:00`,
  ]);
}

function numbers(random: Random): string {
  const many = random.int(3, 30);
  return random.pick([
    Array.from({ length: many }, () => random.int(1, 5)).join(' '),
    Array.from({ length: 3 }, () => random.int(1950, 2049)).join(' '),
    Array.from({ length: many }, () => random.int(1, 999)).join(', '),
    `${random.int(100, 4000)} x ${random.int(100, 4000)}`,
    `${random.int(1, 999)} ${pad(random.int(0, 999), 3)} ${pad(random.int(0, 999), 3)},${random.digits(2)}`,
    `${pad(random.int(0, 23), 2)}:${pad(random.int(0, 59), 2)}:${pad(random.int(0, 59), 2)}`,
  ]);
}

function ean(random: Random): string {
  const body = random.pick(['40', '49', '50', '30', '97', '69', '00']) + random.digits(10);
  return body + modTen(body);
}

let atlas: readonly string[] | undefined;

/** The borders of countries as GeoJSON, one feature each. */
function countries(): readonly string[] {
  if (atlas !== undefined) return atlas;
  const file = new URL('../fixtures/natural-earth-110m.json', import.meta.url);
  const topology = JSON.parse(readFileSync(file, 'utf8')) as {
    readonly arcs: readonly (readonly (readonly [number, number])[])[];
    readonly transform: {
      readonly scale: readonly [number, number];
      readonly translate: readonly [number, number];
    };
  };
  const { scale, translate } = topology.transform;
  const lines = topology.arcs.map((arc) => {
    let [x, y] = [0, 0];
    return arc.map(([dx, dy]) => {
      x += dx;
      y += dy;
      return [x * scale[0] + translate[0], y * scale[1] + translate[1]];
    });
  });
  atlas = lines.map((coordinates, i) =>
    JSON.stringify({ type: 'Feature', id: i, geometry: { type: 'LineString', coordinates } }),
  );
  return atlas;
}

let locked: readonly string[] | undefined;

/** Lines of `package-lock.json`: names, versions, addresses, hashes. */
function lockLines(): readonly string[] {
  locked ??= readFileSync(new URL('../../package-lock.json', import.meta.url), 'utf8').split('\n');
  return locked;
}

const of = (values: () => readonly string[]) => (_: Random, index: number) => {
  const all = values();
  return all[index % all.length] as string;
};

export const CORPORA: readonly Corpus[] = [
  {
    name: 'floats',
    example: '0.5227687358856201',
    make: (r) => String((r.next() - 0.5) * 10 ** r.int(0, 9)),
  },
  {
    name: 'floats with exponents',
    example: '5.2276873588562e-12',
    make: (r) => (r.next() * 10 ** r.int(-30, 30)).toExponential(),
  },
  {
    name: 'amounts',
    example: '1,204.50',
    make: (r) => (r.next() * 1e7).toFixed(2).replace(/\B(?=(\d{3})+\.)/g, r.pick([',', ''])),
  },
  { name: 'UUIDs', example: '018f2d1c-…', make: (r) => uuid(r, r.pick([1, 4, 5, 7])) },
  { name: 'UUIDs without dashes', example: '018f2d1c…', make: (r) => r.text(32, HEX) },
  { name: 'md5', example: 'd41d8cd9…', make: (r) => hash('md5', r).digest('hex') },
  { name: 'sha1', example: 'da39a3ee…', make: (r) => hash('sha1', r).digest('hex') },
  {
    name: 'sha256',
    example: 'E3B0C442…',
    make: (r) => r.pick([hash('sha256', r).digest('hex'), hash('sha256', r).digest('hex').toUpperCase()]),
  },
  {
    name: 'base64',
    example: 'sha512-z4PhNX…',
    make: (r) => r.pick(['', 'sha512-']) + hash('sha512', r).digest('base64'),
  },
  {
    name: 'base64url',
    example: 'dBjftJeZ4CVP-mB92K27…',
    make: (r) => r.bytes(r.int(16, 48)).toString('base64url'),
  },
  { name: 'short hashes', example: '4f1c0de', make: (r) => r.text(r.int(7, 12), HEX) },
  {
    name: 'timestamps',
    example: '2024-01-02 03:04:05.678901+01',
    make: (r) =>
      r.pick([
        instant(r).toISOString(),
        `${instant(r).toISOString().slice(0, 23).replace('T', ' ')}${r.digits(3)}+0${r.int(0, 9)}`,
        instant(r).toUTCString(),
      ]),
  },
  {
    name: 'epochs',
    example: '1700000000000',
    make: (r) => String(BigInt(instant(r).getTime()) * BigInt(r.pick([1, 1000, 1_000_000]))),
  },
  { name: 'sequential ids', example: '48213', make: (_, i) => String(i * 7 + 1) },
  {
    name: 'large sequential ids',
    example: '100000000048213',
    make: (_, i) => String(100_000_000_000_000 + i),
  },
  {
    name: 'snowflake ids',
    example: '1737061000000000000',
    make: (r) => String((BigInt(r.int(1e10, 5.5e11)) << 22n) | BigInt(r.int(0, 4_194_303))),
  },
  {
    name: 'Instagram ids',
    example: '3141592653589793238',
    make: (r) => String((BigInt(r.int(1e11, 4.6e11)) << 23n) | BigInt(r.int(0, 8_388_607))),
  },
  {
    name: 'random 64 bit ids',
    example: '-7046029254386353131',
    make: (r) => r.bytes(8).readBigInt64BE().toString(),
  },
  {
    name: 'coordinates',
    example: '52.370216, 4.895168',
    make: (r) =>
      position(r)
        .map((one) => one.toFixed(r.int(4, 15)))
        .join(r.pick([', ', ' ', ','])),
  },
  {
    name: 'GeoJSON',
    example: '{"type":"Point",…}',
    json: true,
    make: (r) => JSON.stringify({ type: 'Point', coordinates: position(r) }),
  },
  { name: 'Natural Earth', example: '{"type":"Feature",…}', json: true, make: of(countries) },
  { name: 'versions', example: 'pkg@1.2.0-beta.3', make: version },
  { name: 'lock file', example: '"integrity": "sha512-…"', make: of(lockLines) },
  { name: 'addresses', example: '192.168.100.200', make: address },
  { name: 'UPS', example: '1Z999AA10123456784', make: ups },
  {
    name: 'FedEx',
    example: '1234 5678 9012',
    make: (r) => r.pick([r.digits(12), inFours(r.digits(12)), `96${r.digits(20)}`, r.digits(20)]),
  },
  { name: 'USPS', example: '9400 1000 0000 0000 0000 00', make: (r) => r.pick([usps(r), inFours(usps(r))]) },
  {
    name: 'DHL',
    example: '00340434161094021501',
    make: (r) =>
      r.pick([
        r.digits(10),
        `JD0146${r.digits(12)}`,
        `00340434${r.digits(12)}`,
        inFours(`00340434${r.digits(12)}`),
        `JJD${r.digits(18)}`,
      ]),
  },
  {
    name: 'postal parcels',
    example: 'RR123456785NL',
    make: (r) => `${r.text(2, UPPER)}${r.digits(9)}${r.text(2, UPPER)}`,
  },
  { name: 'order numbers', example: 'SO-20240115-0042', make: order },
  {
    name: 'EAN and ISBN',
    example: '978-3-16-148410-0',
    make: (r) => r.pick([ean(r), `978-${r.int(1, 9)}-${r.digits(2)}-${r.digits(6)}-${r.digits(1)}`]),
  },
  { name: 'IMEI', example: '356938035643809', make: imei },
  { name: 'lists of numbers', example: '5 4 3 5 1 2', make: numbers },
  { name: 'no telephones', example: '123-456-7890', make: notPhone },
  {
    name: '16 random digits',
    example: '4539578763621486',
    make: (r) => r.digits(16),
    alike: 'one in ten has a check digit, one in four a prefix',
  },
  {
    name: '15 random digits',
    example: '371449635398431',
    make: (r) => r.digits(15),
    alike: 'as FedEx Ground; one in fifty begins as American Express does',
  },
  {
    name: 'digits in 3-3-4',
    example: '415-555-2671',
    make: (r) => `${r.digits(3)}-${r.digits(3)}-${r.digits(4)}`,
    alike: 'the form of a telephone number',
  },
  {
    name: 'digits in 3-2-4',
    example: '123-45-6789',
    make: (r) => `${r.digits(3)}-${r.digits(2)}-${r.digits(4)}`,
    alike: 'the form of a US SSN',
  },
  {
    name: '8 digits and a letter',
    example: '12345678Z',
    make: (r) => r.digits(8) + r.text(1, UPPER),
    alike: 'the form of a DNI',
  },
];
