import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DetectorSet } from '../../../src/masking/detectors/index.ts';
import { requiredLiteral } from '../../../src/masking/literal.ts';

const set = new DetectorSet([{ name: 'employee-no', pattern: '\\bEMP-[0-9]{6}\\b', tags: ['pii.employee'] }]);
const scan = (text: string) => set.scan(Buffer.from(text));
const found = (text: string) =>
  scan(text).map(({ start, end, detector }) => [detector, Buffer.from(text).subarray(start, end).toString()]);

describe('finds', () => {
  it.each([
    ['card', '4111111111111111'],
    ['card', '4111 1111 1111 1111'],
    ['card', '4111-1111-1111-1111'],
    ['card', '3782 822463 10005'],
    ['card', '5555 5555 5555 4444'],
    ['card', '6011000990139424'],
    ['card', '３５３０１１１３３３３０００００'],
    ['card', '4111\u200b1111\u200d1111\u20601111'],
    ['card', '4111\u00a01111\u20111111\u00a01111'],
    ['card', '٤١١١١١١١١١١١١١١١'],
    ['card', '4111 1111 1111 1111 5500 0055 5555 5559'.slice(0, 19)],
    ['card', '3056 930902 5904'],
    ['card', '6212 3456 7890 1234 569'],
    ['email', 'alice@example.com'],
    ['email', 'Jürgen.Müller+shop@exämple.de'],
    ['email', 'alice%40example.com'],
    ['email', 'alice＠example.com'],
    ['phone', '+49 (0)30 123456-78'],
    ['phone', '+1 (415) 555-2671'],
    ['phone', '+442071838750'],
    ['iban', 'DE89 3704 0044 0532 0130 00'],
    ['iban', 'GB29NWBK60161331926819'],
    ['iban', 'gb29 nwbk 6016 1331 9268 19'],
    ['us-ssn', '123-45-6789'],
    ['us-ssn', '１２３-４５-６７８９'],
    ['us-ssn', '1\u200b23-45-67\u200c89'],
    ['br-cpf', '529.982.247-25'],
    ['fr-nir', '2 55 08 14 168 025 38'],
    ['es-dni', '12345678Z'],
    ['es-nie', 'X1234567L'],
    ['es-nie', 'X-1234567-L'],
    ['gb-nino', 'AB123456C'],
    ['gb-nino', 'AB 12 34 56 C'],
    ['it-codice-fiscale', 'RSSMRA85T10A562S'],
    ['nl-bsn', '1112.22.333'],
    ['phone', '(415) 555-2671'],
    ['phone', '415-555-2671'],
    ['phone', '415.555.2671'],
    ['phone', '020 7183 8750'],
    ['phone', '07700 900123'],
    ['phone', '06 12 34 56 78'],
    ['phone', '0151 12345678'],
    ['phone', '0221/1234567'],
    ['phone', '06-12345678'],
    ['phone', '+33.6.12.34.56.78'],
    ['se-personnummer', '811218-9876'],
    ['aws-access-key', 'AKIAIOSFODNN7EXAMPLE'],
    ['vendor-key', 'ghp_abcdefghijklmnopqrstuvwxyz0123456789'],
    ['vendor-key', 'AIzaSyA-abcdefghijklmnopqrstuvwxyz01234'],
    ['vendor-key', 'sk_live_abcdefghijklmnop1234'],
    ['jwt', 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl'],
    ['private-key', '-----BEGIN RSA PRIVATE KEY-----\nMIIEow\n-----END RSA PRIVATE KEY-----'],
    ['employee-no', 'EMP-123456'],
  ])('%s in %j, alone and in a sentence', (detector, text) => {
    expect(found(text)).toEqual([[detector, text]]);
    expect(found(`Note (é): ${text}, ok.`)).toEqual([[detector, text]]);
    expect(found(`x=${text}\ty`)).toEqual([[detector, text]]);
  });

  it('a private key without its end mark, to the end of the value', () => {
    expect(found('k: -----BEGIN PRIVATE KEY-----\nMIIE\nabc')[0]?.[1]).toBe(
      '-----BEGIN PRIVATE KEY-----\nMIIE\nabc',
    );
  });

  it('numbers that stand among other numbers', () => {
    expect(found('item 12 4111 1111 1111 1111 03/27').map(([, text]) => text)).toContainEqual(
      expect.stringContaining('4111 1111 1111 1111'),
    );
    expect(found('pan 4111111111111111.00')).toEqual([['card', '4111111111111111']]);
    expect(found('4111 1111 1111 1111 5500 0055 5555 5559')).toHaveLength(2);
    expect(found(`${'7 '.repeat(600)}4111111111111111${' 7'.repeat(600)}`)).toHaveLength(1);
  });
});

describe('finds with a label, which alone would tell too little', () => {
  it.each([
    ['nl-bsn', 'BSN: 111222333', '111222333'],
    ['nl-bsn', '{"bsn": "111222333"}', '111222333'],
    ['de-steuer-id', 'Steuer-ID: 86095742719', '86095742719'],
    ['de-steuer-id', 'IdNr. 86 095 742 719', '86 095 742 719'],
    ['in-aadhaar', 'Aadhaar 2341 2341 2346', '2341 2341 2346'],
    ['fr-nir', 'NIR 255081416802538', '255081416802538'],
    ['card', '{"pan":"6212345678901234569"}', '6212345678901234569'],
    ['card', 'Card number: 4222222222222', '4222222222222'],
  ])('%s in %j', (detector, text, number) => {
    expect(found(text)).toEqual([[detector, number]]);
    expect(found(number)).toEqual([]);
  });
});

describe('finds what is encoded, where a value is nothing else', () => {
  it.each([
    Buffer.from('4111111111111111').toString('base64'),
    Buffer.from('to ann@example.com').toString('base64'),
    Buffer.from('ann@example.com').toString('hex'),
    Buffer.from(`${'x'.repeat(70)} ann@example.com`)
      .toString('base64')
      .replace(/(.{76})/g, '$1\n'),
  ])('%j', (text) => {
    expect(found(text).map(([, whole]) => whole)).toEqual([text]);
    expect(new DetectorSet().suspects(Buffer.from(text), 0, text.length)).toBe(true);
  });
});

describe('leaves alone', () => {
  it.each([
    '2024-01-02 03:04:05.678+01',
    '2024-01-02 2024-01-03 2024-01-04',
    '1700000000000',
    '1700000000000000',
    '550e8400-e29b-41d4-a716-446655440000',
    '192.168.100.200',
    '4111111111111112',
    '44111111111111111111111',
    '000-12-3456',
    '666-12-3456',
    '900-12-3456',
    '123-00-6789',
    '123-45-0000',
    '123456789',
    '1123-45-6789',
    'user@localhost',
    '@media (min-width: 10px)',
    'a @ b.com',
    'x+12345678901y 1+12345678',
    '+28 123456789',
    'DE88 3704 0044 0532 0130 00',
    '12345678A',
    'AKIAIOSFODNN7EXAMPL',
    'eyJhbGciOiJIUzI1NiJ9',
    '-----BEGIN CERTIFICATE-----',
    'EMP-12345',
    'order 48213 of 12 pieces, 129.90 EUR',
    '0.5227687358856201',
    '.5227687358856201',
    '-73.9856644 40.7484405 [4.1234567,50.41111111111111111]',
    '4111111111111111.5',
    '4.111111111111111e15',
    '1-123-45-6789',
    '978-1-234-56789-7',
    '4111-1111-1111-1111-1111',
    '9405 5112 0620 8123 4567 89',
    '0034 0434 1610 9412 3456',
    'e29b41d4-4111-4111-8111-411111111111',
    'deadbeef4111111111111111',
    '4111111111111111abc',
    'id7-4111111111111111',
    '5 4 3 2 5 1 4 3 2 4 1 5 4 3 2 1 5 4 3',
    '20240115-0042',
    '240115-0008',
    'pkg@1.2.0-beta.next',
    'logo@2x.png',
    'git@github.com:org/repo.git',
    '+48.8577+002.295/',
    '+1.5e10',
    '123-456-7890',
    '2020 2021 2022',
    'ab123456c',
    'XAB123456C',
    '123 45 6789',
  ])('%j', (text) => expect(found(text)).toEqual([]));
});

it('joins findings that overlap, so that no part of either is left out', () => {
  const two = new DetectorSet([{ name: 'tail', pattern: 'example\\.com/[a-z]+', tags: ['x.path'] }]);
  expect(two.scan(Buffer.from('see alice@example.com/path now'))).toEqual([
    { start: 4, end: 26, tags: ['pii.email', 'x.path'], detector: 'email' },
  ]);
});

it('finds what JSON hides behind escapes', () => {
  const json = Buffer.from('{"a":"caf\\u00e9: alice\\u0040example.com","b":"plain"}');
  expect(set.scan(json, 'json')).toMatchObject([{ start: 6, end: json.indexOf('",'), detector: 'email' }]);
});

it('reports no findings in one shared empty array', () => {
  expect(scan('nothing here')).toBe(scan('nor here'));
});

describe('the quick look', () => {
  const telling = fc.constantFrom(
    ...[
      'ann@example.com',
      '%40',
      'x%40example.com',
      '4111 1111 1111 1111',
      '123-45-6789',
      '+31612345678',
      '12345678Z',
      'X1234567L',
      'X-1234567-L',
      'AB 12 34 56 C',
      'AB123456C',
      'RSSMRA85T10A562S',
      '(415) 555-2671',
      '06 12 34 56 78',
    ],
    ...[
      'GB29 NWBK 6016 1331 9268 19',
      'NO9386011117947',
      'MT84MALTMALTMALT',
      'AKIAIOSFODNN7EXAMPLE',
      '811218-9876',
    ],
    ...['eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.', '-----BEGIN PRIVATE KEY-----', 'sk_live_abcdefghijklmnop'],
    ...[
      'glpat-abcdefghij0123456789',
      'AIzaabcdefghij0123456789abcdefghij01234',
      '\uff14111111111111111',
      '\u0661\u0662',
    ],
  );
  const value = fc.array(fc.oneof(telling, fc.string({ maxLength: 6 }), fc.string({ unit: 'grapheme' })), {
    maxLength: 4,
  });

  it('says yes wherever something is found, and looks at nothing beside the value', () => {
    const detectors = new DetectorSet();
    fc.assert(
      fc.property(value, fc.constantFrom('text', 'json'), (parts, shape) => {
        const text = Buffer.from(shape === 'json' ? JSON.stringify(parts) : parts.join(''));
        const within = Buffer.concat([Buffer.from('+4111 y'), text, Buffer.from('1111@example.com')]);
        const suspect = detectors.suspects(within, 7, 7 + text.length, shape);
        expect(suspect).toBe(detectors.suspects(text, 0, text.length, shape));
        if (detectors.scan(text, shape).length > 0) expect(suspect).toBe(true);
      }),
      { numRuns: 3000 },
    );
  });

  it('says no of most values', () => {
    const detectors = new DetectorSet();
    for (const text of [
      '',
      'Chloé de Vries',
      'moved in 2021, order 482',
      'A-1, up-to-date',
      'user42',
      'snake_case',
    ]) {
      const bytes = Buffer.from(text);
      expect([text, detectors.suspects(bytes, 0, bytes.length)]).toEqual([text, false]);
    }
  });

  it('says yes of everything where detectors are configured', () => {
    const detectors = new DetectorSet([{ name: 'x', pattern: 'x', tags: ['x'] }]);
    expect(detectors.suspects(Buffer.from('abc'), 0, 3)).toBe(true);
  });
});

describe('is bounded', () => {
  const half = (unit: string) => Buffer.from(unit.repeat(Math.ceil(2 ** 19 / Buffer.byteLength(unit))));
  it.each([
    '1-',
    '4-',
    '41 ',
    '@',
    'a@',
    '%40',
    '+1',
    'eyJ.',
    '-',
    'A',
    '１',
    '1\u200b',
    '-----BEGIN ',
    'sk-',
    'DE89 ',
  ])('on 512 KiB of %j', (unit) => {
    const started = performance.now();
    try {
      set.scan(half(unit));
    } catch (error) {
      // Or more is found than anyone looks at: then the value is masked whole.
      expect(error).toMatchObject({ code: 'ERR_LIMIT' });
    }
    expect(performance.now() - started).toBeLessThan(3000);
  });

  it('on values above the window: finds across its edge, refuses what is too large for configured patterns', () => {
    const value = Buffer.alloc(2 ** 20 + 100, 'x ');
    value.write(' EMP-123456 ', 2 ** 20 - 6);
    expect(set.scan(value)).toMatchObject([
      { start: 2 ** 20 - 5, end: 2 ** 20 + 5, detector: 'employee-no' },
    ]);
    const huge = Buffer.alloc(9 * 2 ** 20, 'y');
    expect(set.scan(huge)).toEqual([]);
    huge.write(' EMP-123456 ', 77);
    expect(() => set.scan(huge)).toThrowError(expect.objectContaining({ code: 'ERR_LIMIT' }));
  });
});

describe('configured detectors', () => {
  it.each([
    ['(?=a)', 'detector "x": error parsing regexp: invalid or unsupported Perl syntax: `(?=`'],
    ['[', 'detector "x": error parsing regexp: missing closing ]: `[`'],
    ['a*', 'detector "x": the pattern matches an empty text'],
    ['a'.repeat(1001), 'detector "x": the pattern is longer than 1000 characters'],
  ])('refuse %j at load', (pattern, message) => {
    expect(() => new DetectorSet([{ name: 'x', pattern, tags: ['t'] }])).toThrowError(
      expect.objectContaining({ code: 'ERR_CONFIG', message }),
    );
  });

  it('refuse to have no tags', () => {
    expect(() => new DetectorSet([{ name: 'x', pattern: 'a', tags: [] }])).toThrowError(/has no tags/);
  });

  it.each([
    ['\\bEMP-[0-9]{6}\\b', 'EMP-'],
    ['ab?cd', 'cd'],
    ['ab+cd', 'ab'],
    ['a{0,3}bc', 'bc'],
    ['x\\.y', 'x.y'],
    ['[a-z]+@corp', '@corp'],
    ['foo|bar', undefined],
    ['(foo)', undefined],
    ['(?i)foo', undefined],
    ['\\Qa\\E', undefined],
    ['\\d+', undefined],
    ['é', undefined],
    ['[[:alpha:]]x', undefined],
    ['a**', undefined],
  ])('must contain, for %j, %j', (pattern, literal) => expect(requiredLiteral(pattern)).toBe(literal));
});
