import { describe, expect, it } from 'vitest';
import { PasswordMessage, SASLInitialResponse } from '../../../src/wire/postgres/authentication.ts';
import { decodeBackend, encodeBackend } from '../../../src/wire/postgres/backend.ts';
import { BackendKeyData, ParameterStatus } from '../../../src/wire/postgres/connection.ts';
import { Execute, Parse } from '../../../src/wire/postgres/extended.ts';
import { decodeFrontend, encodeFrontend } from '../../../src/wire/postgres/frontend.ts';
import { CommandComplete, Query } from '../../../src/wire/postgres/query.ts';
import { ErrorResponse, reportText } from '../../../src/wire/postgres/report.ts';
import { BACKEND, FRONTEND } from '../../../src/wire/postgres/types.ts';
import {
  BACKEND_FIXTURES,
  FRONTEND_FIXTURES,
  i16,
  i32,
  message,
  raw,
  str,
} from '../../support/postgres/messages.ts';

const text = (value: string) => Buffer.from(value, 'utf8');

describe('every message, both ways', () => {
  it.each(FRONTEND_FIXTURES)('frontend $value.name', ({ bytes, value }) => {
    expect(decodeFrontend(bytes[0]!, bytes.subarray(5))).toEqual(value);
    expect(encodeFrontend(value)).toEqual(bytes);
  });

  it.each(BACKEND_FIXTURES)('backend $value.name', ({ bytes, value }) => {
    expect(decodeBackend(bytes[0]!, bytes.subarray(5))).toEqual(value);
    expect(encodeBackend(value)).toEqual(bytes);
  });

  it('leaves no type without a fixture', () => {
    expect(new Set(FRONTEND_FIXTURES.map(({ value }) => value.name))).toEqual(new Set(Object.keys(FRONTEND)));
    expect(new Set(BACKEND_FIXTURES.map(({ value }) => value.name))).toEqual(new Set(Object.keys(BACKEND)));
  });

  it('tells the messages of type p apart by what was asked', () => {
    const password = message('p', str('geheim'));
    expect(PasswordMessage.decode(password.subarray(5))).toEqual({
      name: 'PasswordMessage',
      password: 'geheim',
    });
    expect(PasswordMessage.encode({ password: 'geheim' })).toEqual(password);
    const initial = message('p', str('SCRAM-SHA-256'), i32(3), text('n,,'));
    const value = { name: 'SASLInitialResponse', mechanism: 'SCRAM-SHA-256', data: text('n,,') } as const;
    expect(SASLInitialResponse.decode(initial.subarray(5))).toEqual(value);
    expect(SASLInitialResponse.encode(value)).toEqual(initial);
    expect(SASLInitialResponse.decode(Buffer.concat([str('X'), i32(-1)])).data).toBeNull();
  });
});

describe('bodies that are not exactly their message', () => {
  const refused: readonly [what: string, direction: 'F' | 'B', bytes: Buffer][] = [
    ['a Query without an end', 'F', message('Q', text('select 1'))],
    ['a NUL inside a Query', 'F', message('Q', text('select 1\0; delete from orders'), raw(0))],
    ['a Query behind whose end more follows', 'F', message('Q', str('select 1'), raw(0x20))],
    ['an empty Query body', 'F', message('Q')],
    ['a Query that is not UTF-8', 'F', message('Q', raw(0xc0), raw(0))],
    ['an overlong slash', 'F', message('Q', raw(0xc0, 0xaf, 0))],
    ['a surrogate in UTF-8', 'F', message('Q', raw(0xed, 0xa0, 0x80, 0))],
    ['a cut character', 'F', message('Q', raw(0xe2, 0x82, 0))],
    ['a Parse with a NUL inside its text', 'F', message('P', str('s'), str('select 1\0;x'), i16(0))],
    ['a Parse with octets left', 'F', message('P', str('s'), str('x'), i16(0), raw(0))],
    ['a Parse whose count lies', 'F', message('P', str('s'), str('x'), i16(-1))],
    ['a Parse that is not UTF-8', 'F', message('P', str('s'), raw(0xff, 0), i16(0))],
    ['a parameter of length -2', 'F', message('B', str(''), str(''), i16(0), i16(1), i32(-2), i16(0))],
    ['a parameter past the end', 'F', message('B', str(''), str(''), i16(0), i16(1), i32(99), i16(0))],
    ['a parameter of 2 GiB', 'F', message('B', str(''), str(''), i16(0), i16(1), i32(0x7fffffff), i16(0))],
    ['65535 parameters in 4 octets', 'F', message('B', str(''), str(''), i16(0), i16(-1), i32(0))],
    ['format code 2', 'F', message('B', str(''), str(''), i16(1), i16(2), i16(0), i16(0))],
    ['a Describe of neither', 'F', message('D', text('X'), str(''))],
    ['an Execute cut short', 'F', message('E', str(''), raw(0, 0))],
    ['a Sync with a body', 'F', message('S', raw(1))],
    ['an unknown authentication method', 'B', message('R', i32(6))],
    ['a salt of 3 octets', 'B', message('R', i32(5), raw(1, 2, 3))],
    ['mechanisms without an end', 'B', message('R', i32(10), str('X'))],
    ['a cancel key of 3 octets', 'B', message('K', i32(1), raw(1, 2, 3))],
    ['a cancel key of 257 octets', 'B', message('K', i32(1), Buffer.alloc(257))],
    ['transaction status X', 'B', message('Z', text('X'))],
    ['an error without an end', 'B', message('E', str('Mx'))],
    ['an error with octets left', 'B', message('E', str('Mx'), raw(0, 0))],
    ['a row description that promises too much', 'B', message('T', i16(5), str('a'))],
    ['a row with a value past its end', 'B', message('D', i16(1), i32(5), text('abc'))],
    ['a row with a value of length -2', 'B', message('D', i16(1), i32(-2))],
    ['a row with octets left', 'B', message('D', i16(1), i32(1), text('ab'))],
    ['more unknown options than can follow', 'B', message('v', i32(196_608), i32(0x7fffffff))],
    ['a copy in format 2', 'B', message('H', raw(2), i16(0))],
    ['a setting that is not UTF-8', 'B', message('S', str('x'), raw(0xe4, 0))],
  ];
  it.each(refused)('%s', (_what, direction, bytes) => {
    const decode = direction === 'F' ? decodeFrontend : decodeBackend;
    expect(() => decode(bytes[0]!, bytes.subarray(5))).toThrow(
      expect.objectContaining({ code: 'ERR_PROTOCOL' }),
    );
  });

  it('names the message', () => {
    expect(() => Parse.decode(raw(0, 0))).toThrow('malformed Parse message: it ends too early');
  });

  it('refuses a type that is not in its direction', () => {
    expect(() => decodeFrontend(0x5a, raw())).toThrow(expect.objectContaining({ code: 'ERR_MESSAGE_TYPE' }));
    expect(() => decodeBackend(0x51, raw())).toThrow(expect.objectContaining({ code: 'ERR_MESSAGE_TYPE' }));
  });

  it('reads 65535 parameters', () => {
    const many = { statement: '', sql: '', parameterTypes: Array.from({ length: 65_535 }, (_, i) => i) };
    expect(Parse.decode(Parse.encode(many).subarray(5)).parameterTypes).toHaveLength(65_535);
  });
});

describe('values that do not fit their message', () => {
  const refused: readonly [what: string, encode: () => Buffer][] = [
    ['a NUL in SQL', () => Query.encode({ sql: 'select 1\0; drop' })],
    ['a lone surrogate in SQL', () => Query.encode({ sql: "select '\ud800'" })],
    ['a NUL in a tag', () => CommandComplete.encode({ tag: 'x\0' })],
    ['a NUL in a setting', () => ParameterStatus.encode({ parameter: 'a\0', value: '' })],
    ['65536 types', () => Parse.encode({ statement: '', sql: '', parameterTypes: Array(65_536).fill(0) })],
    ['a negative oid', () => Parse.encode({ statement: '', sql: '', parameterTypes: [-1] })],
    ['a row limit that is no Int32', () => Execute.encode({ portal: '', maxRows: 2 ** 31 })],
    ['a row limit that is no integer', () => Execute.encode({ portal: '', maxRows: 1.5 })],
    ['a field code that would end the list', () => ErrorResponse.encode({ fields: [['\0', 'x']] })],
    ['a field without a code', () => ErrorResponse.encode({ fields: [['', 'x']] })],
    ['a NUL in a field', () => ErrorResponse.encode({ fields: [['M', 'a\0b']] })],
    [
      'a process id that is no Int32',
      () => BackendKeyData.encode({ processId: 2 ** 32, key: Buffer.alloc(4) }),
    ],
  ];
  it.each(refused)('%s', (_what, encode) => {
    expect(encode).toThrow(expect.objectContaining({ code: 'ERR_PROTOCOL' }));
  });
});

describe('reports', () => {
  it('writes text as UTF-8 and shows octets that are not', () => {
    const bytes = ErrorResponse.encode({
      fields: [
        ['C', '42501'],
        ['M', 'nein, dürfen Sie nicht'],
        ['D', raw(0x64, 0xfc)],
      ],
    });
    const report = ErrorResponse.decode(bytes.subarray(5));
    expect(reportText(report, 'C')).toBe('42501');
    expect(reportText(report, 'M')).toBe('nein, dürfen Sie nicht');
    expect(reportText(report, 'D')).toBe('d\\xfc');
    expect(reportText(report, 'H')).toBeUndefined();
  });
});
