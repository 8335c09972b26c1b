/** Generated values of every form that a built-in detector names, none of them anybody's. */
import type { Random } from './random.ts';

export interface Form {
  readonly detector: string;
  /** Whose, and how it is written. */
  readonly name: string;
  readonly example: string;
  readonly make: (random: Random) => string;
  /** Stands before it where it needs one. */
  readonly label?: string;
}

const UPPER = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';
const ALNUM = `${UPPER}abcdefghijklmnopqrstuvwxyz0123456789`;
const pad = (value: number, length: number) => String(value).padStart(length, '0');

function luhnDigit(digits: string): number {
  let sum = 0;
  [...digits].reverse().forEach((digit, i) => {
    const value = Number(digit) * (i % 2 === 0 ? 2 : 1);
    sum += value > 9 ? value - 9 : value;
  });
  return (10 - (sum % 10)) % 10;
}

const card = (prefixes: readonly string[], length: number) => (random: Random) => {
  const body = random.pick(prefixes);
  const head = body + random.digits(length - 1 - body.length);
  return head + luhnDigit(head);
};

/** Cut into groups. */
const printed =
  (sizes: readonly number[], between: string, make: (random: Random) => string) => (random: Random) => {
    const value = make(random);
    let end = 0;
    return sizes
      .map((size) => {
        end += size;
        return value.slice(end - size, end);
      })
      .join(between);
  };

const FOURS = [4, 4, 4, 4];
const NETWORKS: readonly (readonly [string, string, readonly string[], number])[] = [
  ['Visa', '4', ['4'], 16],
  ['Mastercard', '51–55, 2221–2720', ['51', '53', '55', '2221', '2500', '2720'], 16],
  ['Discover', '6011, 644–659', ['6011', '644', '649', '65'], 16],
  ['JCB', '3528–3589', ['3528', '3540', '3589'], 16],
  ['UnionPay', '62, 81', ['62', '81'], 16],
  ['RuPay', '60, 65', ['60', '65'], 16],
  ['Mir', '2200–2204', ['2200', '2204'], 16],
  [
    'Maestro',
    '5018, 5020, 5038, 5893, 6304, 6759, 6761–6763',
    ['5018', '5020', '5038', '5893', '6304', '6759', '6761', '6763'],
    16,
  ],
  ['Troy', '9792', ['9792'], 16],
  ['American Express', '34, 37', ['34', '37'], 15],
  ['Diners Club', '300–305, 3095, 36, 38, 39', ['300', '305', '3095', '36', '38', '39'], 14],
];

const cards: readonly Form[] = [
  ...NETWORKS.map(
    ([network, prefixes, list, length]): Form => ({
      detector: 'card',
      name: `${network}: ${prefixes}, ${length} digits`,
      example: '',
      make: card(list, length),
    }),
  ),
  {
    detector: 'card',
    name: 'in fours, spaces',
    example: '4111 1111 1111 1111',
    make: printed(FOURS, ' ', card(['4', '51', '62'], 16)),
  },
  {
    detector: 'card',
    name: 'in fours, dashes',
    example: '4111-1111-1111-1111',
    make: printed(FOURS, '-', card(['4', '51', '62'], 16)),
  },
  {
    detector: 'card',
    name: 'American Express in 4-6-5',
    example: '3782 822463 10005',
    make: printed([4, 6, 5], ' ', card(['34', '37'], 15)),
  },
  {
    detector: 'card',
    name: 'Diners Club in 4-6-4',
    example: '3056 930902 5904',
    make: printed([4, 6, 4], ' ', card(['36', '305'], 14)),
  },
  {
    detector: 'card',
    name: 'UnionPay of 19 in 4-4-4-4-3',
    example: '6212 3456 7890 1234 569',
    make: printed([...FOURS, 3], ' ', card(['62'], 19)),
  },
  {
    detector: 'card',
    name: 'UnionPay of 17 to 19 and Visa of 13 or 19, with a label',
    example: 'card: 4222222222222',
    label: 'card: ',
    make: (r) => r.pick([card(['62'], 17), card(['62'], 19), card(['4'], 13), card(['4'], 19)])(r),
  },
];

const word = (random: Random) => random.text(random.int(2, 10), 'abcdefghijklmnopqrstuvwxyz');
const emails: readonly Form[] = [
  {
    detector: 'email',
    name: 'address',
    example: 'ann.lee+shop@example.co.uk',
    make: (r) =>
      `${word(r)}${r.pick(['', `.${word(r)}`, `+${word(r)}`, `_${r.digits(2)}`])}@${word(r)}.${r.pick(['com', 'org', 'co.uk', 'io', 'de', 'example'])}`,
  },
  {
    detector: 'email',
    name: 'in a URL',
    example: 'ann%40example.com',
    make: (r) => `${word(r)}%40${word(r)}.com`,
  },
];

const phones: readonly Form[] = [
  {
    detector: 'phone',
    name: 'E.164',
    example: '+31612345678',
    make: (r) =>
      r.pick([
        `+316${r.digits(8)}`,
        `+49151${r.digits(8)}`,
        `+1${r.int(2, 9)}${r.digits(2)}${r.int(2, 9)}${r.digits(6)}`,
        `+447${r.digits(9)}`,
        `+336${r.digits(8)}`,
        `+8190${r.digits(8)}`,
        `+55119${r.digits(8)}`,
        `+9198${r.digits(8)}`,
        `+86138${r.digits(8)}`,
        `+35387${r.digits(7)}`,
      ]),
  },
  {
    detector: 'phone',
    name: 'international, punctuated',
    example: '+49 (0)30 123456-78',
    make: (r) =>
      r.pick([
        `+49 (0)30 ${r.digits(6)}-${r.digits(2)}`,
        `+1 (${r.int(2, 9)}${r.digits(2)}) ${r.int(2, 9)}${r.digits(2)}-${r.digits(4)}`,
        `+44 20 7${r.digits(3)} ${r.digits(4)}`,
        `+33 6 ${r.digits(2)} ${r.digits(2)} ${r.digits(2)} ${r.digits(2)}`,
        `+31-20-${r.digits(7)}`,
        `+33.6.${r.digits(2)}.${r.digits(2)}.${r.digits(2)}.${r.digits(2)}`,
      ]),
  },
  {
    detector: 'phone',
    name: 'United States and Canada',
    example: '(415) 555-2671',
    make: (r) => {
      const [a, b, c] = [
        `${r.int(2, 9)}${r.int(0, 8)}${r.digits(1)}`,
        `${r.int(2, 9)}${r.digits(2)}`,
        r.digits(4),
      ];
      return r.pick([`(${a}) ${b}-${c}`, `${a}-${b}-${c}`, `${a}.${b}.${c}`, `1-${a}-${b}-${c}`]);
    },
  },
  {
    detector: 'phone',
    name: 'United Kingdom',
    example: '020 7183 8750',
    make: (r) =>
      r.pick([
        `020 ${r.digits(4)} ${r.digits(4)}`,
        `0161 ${r.digits(3)} ${r.digits(4)}`,
        `01632 ${r.digits(6)}`,
        `07700 ${r.digits(6)}`,
        `(020) ${r.digits(4)} ${r.digits(4)}`,
      ]),
  },
  {
    detector: 'phone',
    name: 'France',
    example: '06 12 34 56 78',
    make: (r) => {
      const by = r.pick([' ', '.', '-']);
      return [`0${r.int(1, 9)}`, r.digits(2), r.digits(2), r.digits(2), r.digits(2)].join(by);
    },
  },
  {
    detector: 'phone',
    name: 'Germany',
    example: '0151 12345678',
    make: (r) =>
      r.pick([
        `0151 ${r.digits(8)}`,
        `0171/${r.digits(7)}`,
        `030 ${r.digits(7)}`,
        `0221/${r.digits(7)}`,
        `(06221) ${r.digits(6)}`,
      ]),
  },
  {
    detector: 'phone',
    name: 'Netherlands',
    example: '06-12345678',
    make: (r) =>
      r.pick([`06-${r.digits(8)}`, `06 ${r.digits(8)}`, `020-${r.digits(7)}`, `0570-${r.digits(6)}`]),
  },
];

function mod97(text: string): number {
  let rest = 0;
  for (const character of text) {
    const value = Number.parseInt(character, 36);
    rest = (value > 9 ? rest * 100 + value : rest * 10 + value) % 97;
  }
  return rest;
}

const ACCOUNTS: readonly (readonly [string, (random: Random) => string])[] = [
  ['DE', (r) => r.digits(18)],
  ['GB', (r) => r.text(4, UPPER) + r.digits(14)],
  ['NL', (r) => r.text(4, UPPER) + r.digits(10)],
  ['FR', (r) => r.digits(10) + r.text(11, `${UPPER}0123456789`) + r.digits(2)],
  ['ES', (r) => r.digits(20)],
  ['IT', (r) => r.text(1, UPPER) + r.digits(22)],
  ['BE', (r) => r.digits(12)],
  ['NO', (r) => r.digits(11)],
  ['BR', (r) => `${r.digits(23)}${r.text(1, UPPER)}${r.digits(1)}`],
  ['MT', (r) => r.text(4, UPPER) + r.digits(5) + r.text(18, `${UPPER}0123456789`)],
];

function iban(random: Random): string {
  const [country, account] = random.pick(ACCOUNTS);
  const body = account(random);
  return `${country}${pad(98 - mod97(`${body}${country}00`), 2)}${body}`;
}

const ibans: readonly Form[] = [
  {
    detector: 'iban',
    name: 'of the 88 countries of the registry, in one piece',
    example: 'GB29NWBK60161331926819',
    make: iban,
  },
  {
    detector: 'iban',
    name: 'in fours',
    example: 'GB29 NWBK 6016 1331 9268 19',
    make: (r) => iban(r).replace(/(.{4})(?=.)/g, '$1 '),
  },
];

const DNI = 'TRWAGMYFPDXBNJZSQVHLCKE';
const day = (r: Random) => ({ month: pad(r.int(1, 12), 2), day: pad(r.int(1, 28), 2) });

function personnummer(r: Random): string {
  const { month, day: date } = day(r);
  const year = r.int(1931, 2012);
  const body = `${pad(year % 100, 2)}${month}${date}${r.digits(3)}`;
  const century = r.pick(['', String(Math.trunc(year / 100))]);
  return `${century}${body.slice(0, 6)}-${body.slice(6)}${luhnDigit(body)}`;
}

function cpf(r: Random): string {
  const digits = r.digits(9);
  const check = (text: string) => {
    const sum = [...text].reduce((total, digit, i) => total + Number(digit) * (text.length + 1 - i), 0);
    return String(((sum * 10) % 11) % 10);
  };
  const first = check(digits);
  return `${digits.slice(0, 3)}.${digits.slice(3, 6)}.${digits.slice(6)}-${first}${check(digits + first)}`;
}

function nir(r: Random): string {
  const body = `${r.int(1, 2)}${r.digits(2)}${day(r).month}${pad(r.int(1, 95), 2)}${r.digits(6)}`;
  return body + pad(97 - (Number(body) % 97), 2);
}

function bsn(r: Random): string {
  for (;;) {
    const body = `${r.int(1, 9)}${r.digits(7)}`;
    const check = [...body].reduce((sum, digit, i) => sum + Number(digit) * (9 - i), 0) % 11;
    if (check < 10) return body + check;
  }
}

function steuerId(r: Random): string {
  const digits = [...'0123456789'];
  for (let i = 9; i > 0; i--) {
    const other = r.int(0, i);
    [digits[i], digits[other]] = [digits[other] as string, digits[i] as string];
  }
  digits[9] = digits[r.int(0, 8)] as string;
  if (digits[0] === '0') return steuerId(r);
  let product = 10;
  for (const digit of digits) product = (((Number(digit) + product) % 10 || 10) * 2) % 11;
  return digits.join('') + ((11 - product) % 10);
}

const VERHOEFF = {
  inverse: '0432156789',
  d: [
    '0123456789',
    '1234067895',
    '2340178956',
    '3401289567',
    '4012395678',
    '5987604321',
    '6598710432',
    '7659821043',
    '8765932104',
    '9876543210',
  ],
  p: [
    '0123456789',
    '1576283094',
    '5803796142',
    '8916043527',
    '9453126870',
    '4286573901',
    '2793806415',
    '7046913258',
  ],
};

function aadhaar(r: Random): string {
  const body = `${r.int(2, 9)}${r.digits(10)}`;
  let check = 0;
  [...body].reverse().forEach((digit, i) => {
    check = Number(VERHOEFF.d[check]![Number(VERHOEFF.p[(i + 1) % 8]![Number(digit)])]);
  });
  return body + VERHOEFF.inverse[check];
}

const ODD = [
  1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16,
  10, 22, 25, 24, 23,
];

function codiceFiscale(r: Random): string {
  const body = `${r.text(6, UPPER)}${r.digits(2)}${r.text(1, 'ABCDEHLMPRST')}${pad(r.int(1, 31), 2)}${r.text(1, 'ABCDEFGHIL')}${r.digits(3)}`;
  const sum = [...body].reduce((total, character, i) => {
    const value = Number.parseInt(character, 36);
    return total + (i % 2 === 0 ? (ODD[value] as number) : value > 9 ? value - 10 : value);
  }, 0);
  return body + UPPER[sum % 26];
}

const dniLetter = (digits: string) => DNI[Number(digits) % 23];
const nino = (r: Random) =>
  `${r.text(1, 'ABCEHJLMPRSTWXY')}${r.text(1, 'ACEHJLMPRSWXY')}${r.digits(6)}${r.text(1, 'ABCD')}`;

const nationalIds: readonly Form[] = [
  {
    detector: 'us-ssn',
    name: 'US SSN',
    example: '123-45-6789',
    make: (r) => `${pad(r.int(1, 665), 3)}-${pad(r.int(1, 99), 2)}-${pad(r.int(1, 9999), 4)}`,
  },
  {
    detector: 'gb-nino',
    name: 'UK NINO',
    example: 'AB123456C, AB 12 34 56 C',
    make: (r) => {
      const plain = nino(r);
      return r.pick([plain, plain.replace(/^(..)(..)(..)(..)/, '$1 $2 $3 $4 ')]);
    },
  },
  {
    detector: 'es-dni',
    name: 'Spain, DNI',
    example: '12345678Z, 12345678-Z',
    make: (r) => {
      const digits = r.digits(8);
      return `${digits}${r.pick(['', '-'])}${dniLetter(digits)}`;
    },
  },
  {
    detector: 'es-nie',
    name: 'Spain, NIE',
    example: 'X1234567L, X-1234567-L',
    make: (r) => {
      const first = r.int(0, 2);
      const digits = r.digits(7);
      const dash = r.pick(['', '-']);
      return `${'XYZ'[first]}${dash}${digits}${dash}${dniLetter(first + digits)}`;
    },
  },
  {
    detector: 'fr-nir',
    name: 'France, NIR',
    example: '1 85 05 78 006 084 36',
    make: printed([1, 2, 2, 2, 3, 3, 2], ' ', nir),
  },
  {
    detector: 'fr-nir',
    name: 'France, NIR in one piece, with a label',
    example: 'NIR 185057800608436',
    label: 'NIR ',
    make: nir,
  },
  {
    detector: 'it-codice-fiscale',
    name: 'Italy, codice fiscale',
    example: 'RSSMRA85T10A562S',
    make: codiceFiscale,
  },
  { detector: 'br-cpf', name: 'Brazil, CPF', example: '529.982.247-25', make: cpf },
  {
    detector: 'se-personnummer',
    name: 'Sweden, personnummer, born 1931–2012',
    example: '811218-9876, 19811218-9876',
    make: personnummer,
  },
  {
    detector: 'nl-bsn',
    name: 'Netherlands, BSN',
    example: '1112.22.333',
    make: printed([4, 2, 3], '.', bsn),
  },
  {
    detector: 'nl-bsn',
    name: 'Netherlands, BSN in one piece, with a label',
    example: 'BSN: 111222333',
    label: 'BSN: ',
    make: bsn,
  },
  {
    detector: 'de-steuer-id',
    name: 'Germany, Steuer-ID, with a label',
    example: 'Steuer-ID: 86095742719, 86 095 742 719',
    label: 'Steuer-ID: ',
    make: (r) => {
      const plain = steuerId(r);
      return r.pick([plain, plain.replace(/^(..)(...)(...)/, '$1 $2 $3 ')]);
    },
  },
  {
    detector: 'in-aadhaar',
    name: 'India, Aadhaar, with a label',
    example: 'Aadhaar 2341 2341 2346',
    label: 'Aadhaar ',
    make: (r) => {
      const plain = aadhaar(r);
      return r.pick([plain, plain.replace(/(.{4})(?=.)/g, '$1 ')]);
    },
  },
];

const base64url = (text: string) => Buffer.from(text).toString('base64url');
const keys: readonly Form[] = [
  {
    detector: 'aws-access-key',
    name: 'AWS: AKIA, ASIA, ABIA, ACCA and 16 characters',
    example: 'AKIAIOSFODNN7EXAMPLE',
    make: (r) => r.pick(['AKIA', 'ASIA', 'ABIA', 'ACCA']) + r.text(16, `${UPPER}234567`),
  },
  {
    detector: 'vendor-key',
    name: 'GitHub: ghp_, gho_, ghu_, ghs_, ghr_, github_pat_',
    example: 'ghp_…',
    make: (r) => r.pick(['ghp_', 'gho_', 'ghu_', 'ghs_', 'ghr_', 'github_pat_']) + r.text(36, ALNUM),
  },
  {
    detector: 'vendor-key',
    name: 'GitLab: glpat-',
    example: 'glpat-…',
    make: (r) => `glpat-${r.text(20, ALNUM)}`,
  },
  { detector: 'vendor-key', name: 'npm: npm_', example: 'npm_…', make: (r) => `npm_${r.text(36, ALNUM)}` },
  {
    detector: 'vendor-key',
    name: 'Slack: xoxb-, xoxp-, xoxa-, xoxr-, xoxs-, xapp-',
    example: 'xoxb-…',
    make: (r) =>
      `${r.pick(['xoxb', 'xoxp', 'xoxa', 'xoxr', 'xoxs', 'xapp'])}-${r.digits(11)}-${r.text(24, ALNUM)}`,
  },
  {
    detector: 'vendor-key',
    name: 'Stripe: sk_live_, sk_test_, rk_live_, rk_test_',
    example: 'sk_live_…',
    make: (r) => `${r.pick(['sk', 'rk'])}_${r.pick(['live', 'test'])}_${r.text(24, ALNUM)}`,
  },
  {
    detector: 'vendor-key',
    name: 'OpenAI, Anthropic: sk- and 32 characters or more',
    example: 'sk-proj-…',
    make: (r) => `sk-${r.pick(['', 'proj-', 'ant-'])}${r.text(48, ALNUM)}`,
  },
  {
    detector: 'vendor-key',
    name: 'Google: AIza and 35 characters',
    example: 'AIza…',
    make: (r) => `AIza${r.text(35, ALNUM)}`,
  },
  {
    detector: 'jwt',
    name: 'JWT',
    example: 'eyJ….eyJ….…',
    make: (r) =>
      `${base64url('{"alg":"RS256"}')}.${base64url(`{"sub":"${r.digits(6)}"}`)}.${r.text(43, ALNUM)}`,
  },
  {
    detector: 'private-key',
    name: 'PEM and OpenPGP private keys',
    example: '-----BEGIN PRIVATE KEY-----',
    make: (r) => {
      const kind = r.pick(['', 'RSA ', 'EC ', 'OPENSSH ']);
      return `-----BEGIN ${kind}PRIVATE KEY-----\n${r.text(64, ALNUM)}\n-----END ${kind}PRIVATE KEY-----`;
    },
  },
];

export const FORMS: readonly Form[] = [...cards, ...emails, ...phones, ...ibans, ...nationalIds, ...keys];
