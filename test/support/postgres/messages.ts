import type { BackendMessage } from '../../../src/wire/postgres/backend.ts';
import type { FrontendMessage } from '../../../src/wire/postgres/frontend.ts';

/** Bytes drawn by hand, so that no test asks the codec what the codec should do. */
export const i16 = (value: number): Buffer => Buffer.from([(value >> 8) & 0xff, value & 0xff]);
export const i32 = (value: number): Buffer =>
  Buffer.from([(value >>> 24) & 0xff, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff]);
export const str = (text: string): Buffer => Buffer.from(`${text}\0`, 'utf8');
export const raw = (...octets: number[]): Buffer => Buffer.from(octets);

/** A typed message: type, length, parts. */
export function message(type: string, ...parts: Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.from(type, 'latin1'), i32(body.length + 4), body]);
}

export interface Fixture<M> {
  readonly bytes: Buffer;
  readonly value: M;
}

const fixture = <M>(value: M, bytes: Buffer): Fixture<M> => ({ bytes, value });
const text = (value: string) => Buffer.from(value, 'utf8');

/** Every frontend message, in several shapes. */
export const FRONTEND_FIXTURES: readonly Fixture<FrontendMessage>[] = [
  fixture({ name: 'Query', sql: "select 'ä€😀'" }, message('Q', str("select 'ä€😀'"))),
  fixture({ name: 'Query', sql: '' }, message('Q', str(''))),
  fixture({ name: 'Query', sql: '\ufeffselect 1' }, message('Q', raw(0xef, 0xbb, 0xbf), str('select 1'))),
  fixture(
    { name: 'Parse', statement: 's1', sql: 'select $1, $2', parameterTypes: [23, 0, 4294967295] },
    message('P', str('s1'), str('select $1, $2'), i16(3), i32(23), i32(0), i32(-1)),
  ),
  fixture(
    { name: 'Parse', statement: '', sql: '', parameterTypes: [] },
    message('P', str(''), str(''), i16(0)),
  ),
  fixture(
    {
      name: 'Bind',
      portal: 'p',
      statement: 's1',
      parameterFormats: [1, 0],
      parameters: [raw(0, 0, 0, 5), null, text('')],
      resultFormats: [1],
    },
    message(
      'B',
      ...[str('p'), str('s1'), i16(2), i16(1), i16(0)],
      ...[i16(3), i32(4), raw(0, 0, 0, 5), i32(-1), i32(0), i16(1), i16(1)],
    ),
  ),
  fixture(
    { name: 'Bind', portal: '', statement: '', parameterFormats: [], parameters: [], resultFormats: [] },
    message('B', str(''), str(''), i16(0), i16(0), i16(0)),
  ),
  fixture({ name: 'Describe', kind: 'S', target: 's1' }, message('D', text('S'), str('s1'))),
  fixture({ name: 'Describe', kind: 'P', target: '' }, message('D', text('P'), str(''))),
  fixture({ name: 'Execute', portal: 'p', maxRows: 10 }, message('E', str('p'), i32(10))),
  fixture({ name: 'Execute', portal: '', maxRows: -1 }, message('E', str(''), i32(-1))),
  fixture({ name: 'Close', kind: 'P', target: 'p' }, message('C', text('P'), str('p'))),
  fixture({ name: 'Flush' }, message('H')),
  fixture({ name: 'Sync' }, message('S')),
  fixture({ name: 'Terminate' }, message('X')),
  fixture({ name: 'CopyData', data: raw(1, 0, 255) }, message('d', raw(1, 0, 255))),
  fixture({ name: 'CopyData', data: raw() }, message('d')),
  fixture({ name: 'CopyDone' }, message('c')),
  fixture({ name: 'CopyFail', reason: 'enough' }, message('f', str('enough'))),
  fixture(
    {
      name: 'FunctionCall',
      oid: 957,
      argumentFormats: [0],
      arguments: [text('7'), null],
      resultFormat: 1,
    },
    message('F', i32(957), i16(1), i16(0), i16(2), i32(1), text('7'), i32(-1), i16(1)),
  ),
  fixture({ name: 'AuthenticationResponse', data: str('secret') }, message('p', str('secret'))),
];

/** Every backend message, in several shapes. */
export const BACKEND_FIXTURES: readonly Fixture<BackendMessage>[] = [
  fixture({ name: 'Authentication', request: { method: 'Ok' } }, message('R', i32(0))),
  fixture({ name: 'Authentication', request: { method: 'KerberosV5' } }, message('R', i32(2))),
  fixture({ name: 'Authentication', request: { method: 'CleartextPassword' } }, message('R', i32(3))),
  fixture(
    { name: 'Authentication', request: { method: 'MD5Password', salt: raw(1, 0, 3, 4) } },
    message('R', i32(5), raw(1, 0, 3, 4)),
  ),
  fixture({ name: 'Authentication', request: { method: 'GSS' } }, message('R', i32(7))),
  fixture(
    { name: 'Authentication', request: { method: 'GSSContinue', data: raw(9) } },
    message('R', i32(8), raw(9)),
  ),
  fixture({ name: 'Authentication', request: { method: 'SSPI' } }, message('R', i32(9))),
  fixture(
    {
      name: 'Authentication',
      request: { method: 'SASL', mechanisms: ['SCRAM-SHA-256-PLUS', 'SCRAM-SHA-256'] },
    },
    message('R', i32(10), str('SCRAM-SHA-256-PLUS'), str('SCRAM-SHA-256'), raw(0)),
  ),
  fixture(
    { name: 'Authentication', request: { method: 'SASLContinue', data: text('r=x') } },
    message('R', i32(11), text('r=x')),
  ),
  fixture(
    { name: 'Authentication', request: { method: 'SASLFinal', data: text('v=y') } },
    message('R', i32(12), text('v=y')),
  ),
  fixture(
    { name: 'BackendKeyData', processId: 4711, key: raw(255, 0, 1, 2) },
    message('K', i32(4711), raw(255, 0, 1, 2)),
  ),
  fixture(
    { name: 'BackendKeyData', processId: -2, key: Buffer.alloc(256, 7) },
    message('K', i32(-2), Buffer.alloc(256, 7)),
  ),
  fixture(
    { name: 'ParameterStatus', parameter: 'client_encoding', value: 'UTF8' },
    message('S', str('client_encoding'), str('UTF8')),
  ),
  fixture({ name: 'ReadyForQuery', status: 'I' }, message('Z', text('I'))),
  fixture({ name: 'ReadyForQuery', status: 'T' }, message('Z', text('T'))),
  fixture({ name: 'ReadyForQuery', status: 'E' }, message('Z', text('E'))),
  fixture(
    {
      name: 'ErrorResponse',
      fields: [
        ['S', text('FEHLER')],
        ['V', text('ERROR')],
        ['C', text('42501')],
        ['M', raw(0x64, 0xfc, 0xff)],
        ['D', text('')],
      ],
    },
    message(
      'E',
      str('SFEHLER'),
      str('VERROR'),
      str('C42501'),
      raw(0x4d, 0x64, 0xfc, 0xff, 0),
      str('D'),
      raw(0),
    ),
  ),
  fixture({ name: 'NoticeResponse', fields: [['M', text('hello')]] }, message('N', str('Mhello'), raw(0))),
  fixture({ name: 'NoticeResponse', fields: [] }, message('N', raw(0))),
  fixture(
    {
      name: 'RowDescription',
      columns: [
        {
          name: text('id'),
          tableOid: 16_384,
          attributeNumber: 1,
          typeOid: 23,
          typeLength: 4,
          typeModifier: -1,
          format: 1,
        },
        {
          name: raw(0xe4),
          tableOid: 0,
          attributeNumber: -6,
          typeOid: 25,
          typeLength: -1,
          typeModifier: -1,
          format: 0,
        },
      ],
    },
    message(
      'T',
      i16(2),
      ...[str('id'), i32(16_384), i16(1), i32(23), i16(4), i32(-1), i16(1)],
      ...[raw(0xe4, 0), i32(0), i16(-6), i32(25), i16(-1), i32(-1), i16(0)],
    ),
  ),
  fixture({ name: 'RowDescription', columns: [] }, message('T', i16(0))),
  fixture({ name: 'ParameterDescription', typeOids: [23, 25] }, message('t', i16(2), i32(23), i32(25))),
  fixture({ name: 'NoData' }, message('n')),
  fixture(
    { name: 'DataRow', values: [text('1'), null, text('')] },
    message('D', i16(3), i32(1), text('1'), i32(-1), i32(0)),
  ),
  fixture({ name: 'DataRow', values: [] }, message('D', i16(0))),
  fixture({ name: 'CommandComplete', tag: 'INSERT 0 5' }, message('C', str('INSERT 0 5'))),
  fixture({ name: 'EmptyQueryResponse' }, message('I')),
  fixture({ name: 'PortalSuspended' }, message('s')),
  fixture({ name: 'ParseComplete' }, message('1')),
  fixture({ name: 'BindComplete' }, message('2')),
  fixture({ name: 'CloseComplete' }, message('3')),
  fixture(
    { name: 'CopyInResponse', format: 0, columnFormats: [0, 0] },
    message('G', raw(0), i16(2), i16(0), i16(0)),
  ),
  fixture({ name: 'CopyOutResponse', format: 1, columnFormats: [1] }, message('H', raw(1), i16(1), i16(1))),
  fixture({ name: 'CopyBothResponse', format: 0, columnFormats: [] }, message('W', raw(0), i16(0))),
  fixture({ name: 'CopyData', data: text('1\tx\n') }, message('d', text('1\tx\n'))),
  fixture({ name: 'CopyDone' }, message('c')),
  fixture(
    { name: 'NotificationResponse', processId: 12, channel: 'c', payload: 'p' },
    message('A', i32(12), str('c'), str('p')),
  ),
  fixture({ name: 'FunctionCallResponse', value: text('x') }, message('V', i32(1), text('x'))),
  fixture({ name: 'FunctionCallResponse', value: null }, message('V', i32(-1))),
  fixture(
    { name: 'NegotiateProtocolVersion', version: 196_610, unknownOptions: ['_pq_.a', '_pq_.b'] },
    message('v', i32(196_610), i32(2), str('_pq_.a'), str('_pq_.b')),
  ),
];
