import { Readable } from 'node:stream';
import { parse, serialize } from 'pg-protocol';
import { describe, expect, it } from 'vitest';
import { PasswordMessage, SASLInitialResponse } from '../../../src/wire/postgres/authentication.ts';
import { type BackendMessage, encodeBackend } from '../../../src/wire/postgres/backend.ts';
import { encodeFrontend, type FrontendMessage } from '../../../src/wire/postgres/frontend.ts';
import { encodeStartup, PROTOCOL_3_0 } from '../../../src/wire/postgres/startup.ts';
import { BACKEND_FIXTURES } from '../../support/postgres/messages.ts';

type Heard = Record<string, unknown> & { name: string };

/** What pg-protocol, the codec of node-postgres, makes of a backend message of ours. */
async function heard(message: BackendMessage): Promise<Heard> {
  const all: Heard[] = [];
  await parse(Readable.from([encodeBackend(message)]) as never, (one) => all.push(one as unknown as Heard));
  expect(all).toHaveLength(1);
  return all[0]!;
}

describe('backend messages that node-postgres reads', () => {
  const text = (value: string) => Buffer.from(value);
  const table: readonly [BackendMessage, Record<string, unknown>][] = [
    [{ name: 'Authentication', request: { method: 'Ok' } }, { name: 'authenticationOk' }],
    [
      { name: 'Authentication', request: { method: 'CleartextPassword' } },
      { name: 'authenticationCleartextPassword' },
    ],
    [
      { name: 'Authentication', request: { method: 'MD5Password', salt: Buffer.from([1, 2, 3, 4]) } },
      { name: 'authenticationMD5Password', salt: Buffer.from([1, 2, 3, 4]) },
    ],
    [
      {
        name: 'Authentication',
        request: { method: 'SASL', mechanisms: ['SCRAM-SHA-256-PLUS', 'SCRAM-SHA-256'] },
      },
      { name: 'authenticationSASL', mechanisms: ['SCRAM-SHA-256-PLUS', 'SCRAM-SHA-256'] },
    ],
    [
      { name: 'Authentication', request: { method: 'SASLContinue', data: text('r=1') } },
      { name: 'authenticationSASLContinue', data: 'r=1' },
    ],
    [
      { name: 'Authentication', request: { method: 'SASLFinal', data: text('v=1') } },
      { name: 'authenticationSASLFinal', data: 'v=1' },
    ],
    [
      { name: 'BackendKeyData', processId: 9, key: Buffer.from([0, 0, 1, 0]) },
      { name: 'backendKeyData', processID: 9, secretKey: 256 },
    ],
    [
      { name: 'ParameterStatus', parameter: 'TimeZone', value: 'Europe/Zürich' },
      { name: 'parameterStatus', parameterName: 'TimeZone', parameterValue: 'Europe/Zürich' },
    ],
    [
      { name: 'ReadyForQuery', status: 'T' },
      { name: 'readyForQuery', status: 'T' },
    ],
    [
      { name: 'CommandComplete', tag: 'UPDATE 3' },
      { name: 'commandComplete', text: 'UPDATE 3' },
    ],
    [{ name: 'EmptyQueryResponse' }, { name: 'emptyQuery' }],
    [{ name: 'PortalSuspended' }, { name: 'portalSuspended' }],
    [{ name: 'ParseComplete' }, { name: 'parseComplete' }],
    [{ name: 'BindComplete' }, { name: 'bindComplete' }],
    [{ name: 'CloseComplete' }, { name: 'closeComplete' }],
    [{ name: 'NoData' }, { name: 'noData' }],
    [{ name: 'CopyDone' }, { name: 'copyDone' }],
    [
      { name: 'CopyData', data: text('x') },
      { name: 'copyData', chunk: text('x') },
    ],
    [
      { name: 'CopyInResponse', format: 1, columnFormats: [1, 0] },
      { name: 'copyInResponse', binary: true, columnTypes: [1, 0] },
    ],
    [
      { name: 'CopyOutResponse', format: 0, columnFormats: [0] },
      { name: 'copyOutResponse', binary: false, columnTypes: [0] },
    ],
    [
      { name: 'NotificationResponse', processId: 5, channel: 'c', payload: 'p' },
      { name: 'notification', processId: 5, channel: 'c', payload: 'p' },
    ],
    [
      { name: 'ParameterDescription', typeOids: [23, 25] },
      { name: 'parameterDescription', parameterCount: 2, dataTypeIDs: [23, 25] },
    ],
    [
      { name: 'DataRow', values: [text('1'), null, text('')] },
      { name: 'dataRow', fieldCount: 3, fields: ['1', null, ''] },
    ],
  ];
  it.each(table)('$name', async (message, expected) => {
    expect(await heard(message)).toMatchObject(expected);
  });

  it('RowDescription', async () => {
    const got = await heard(BACKEND_FIXTURES.find(({ value }) => value.name === 'RowDescription')!.value);
    expect(got).toMatchObject({
      fieldCount: 2,
      fields: [
        { name: 'id', tableID: 16_384, columnID: 1, dataTypeID: 23, dataTypeSize: 4, format: 'binary' },
        { tableID: 0, dataTypeID: 25, dataTypeSize: -1, dataTypeModifier: -1, format: 'text' },
      ],
    });
  });

  it.each(['ErrorResponse', 'NoticeResponse'] as const)('%s', async (name) => {
    const fields = [
      ['S', 'ERROR'],
      ['C', '42501'],
      ['M', 'nein'],
      ['D', 'd'],
      ['H', 'h'],
    ] as const;
    const expected = { code: '42501', message: 'nein', detail: 'd', hint: 'h' };
    expect(await heard({ name, fields } as BackendMessage)).toMatchObject(expected);
  });
});

describe('frontend messages as node-postgres writes them', () => {
  const table: readonly [FrontendMessage, Buffer][] = [
    [{ name: 'Query', sql: "select 'ü'" }, serialize.query("select 'ü'")],
    [
      { name: 'Parse', statement: 's', sql: 'select $1', parameterTypes: [23] },
      serialize.parse({ name: 's', text: 'select $1', types: [23] }),
    ],
    [
      {
        name: 'Bind',
        portal: 'p',
        statement: 's',
        parameterFormats: [0, 0, 1],
        parameters: [Buffer.from('1'), null, Buffer.from([0, 1])],
        resultFormats: [1],
      },
      serialize.bind({ portal: 'p', statement: 's', values: ['1', null, Buffer.from([0, 1])], binary: true }),
    ],
    [{ name: 'Describe', kind: 'S', target: 's' }, serialize.describe({ type: 'S', name: 's' })],
    [{ name: 'Close', kind: 'P', target: 'p' }, serialize.close({ type: 'P', name: 'p' })],
    [{ name: 'Execute', portal: 'p', maxRows: 7 }, serialize.execute({ portal: 'p', rows: 7 })],
    [{ name: 'Flush' }, serialize.flush()],
    [{ name: 'Sync' }, serialize.sync()],
    [{ name: 'Terminate' }, serialize.end()],
    [{ name: 'CopyData', data: Buffer.from('x') }, serialize.copyData(Buffer.from('x'))],
    [{ name: 'CopyDone' }, serialize.copyDone()],
    [{ name: 'CopyFail', reason: 'no' }, serialize.copyFail('no')],
  ];
  it.each(table)('$name', (message, expected) => {
    expect(encodeFrontend(message)).toEqual(Buffer.from(expected));
  });

  it('the answers to a request to authenticate', () => {
    expect(PasswordMessage.encode({ password: 'geheim' })).toEqual(Buffer.from(serialize.password('geheim')));
    const [mechanism, data] = ['SCRAM-SHA-256', 'n,,n=,r=x'];
    expect(SASLInitialResponse.encode({ mechanism, data: Buffer.from(data) })).toEqual(
      Buffer.from(serialize.sendSASLInitialResponseMessage(mechanism, data)),
    );
  });

  it('the packets of the startup phase', () => {
    expect(encodeStartup({ name: 'SSLRequest' })).toEqual(Buffer.from(serialize.requestSsl()));
    const key = Buffer.from([0, 0, 0, 9]);
    expect(encodeStartup({ name: 'CancelRequest', processId: 5, key })).toEqual(
      Buffer.from(serialize.cancel(5, 9)),
    );
    // node-postgres adds client_encoding itself.
    const parameters = new Map(Object.entries({ user: 'a', database: 'b', client_encoding: 'UTF8' }));
    const ours = {
      name: 'StartupMessage',
      version: PROTOCOL_3_0,
      parameters,
      protocolOptions: new Map(),
    } as const;
    expect(encodeStartup(ours)).toEqual(Buffer.from(serialize.startup({ user: 'a', database: 'b' })));
  });
});
