import { Duplex } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ResultBounds, runStatement } from '../../../src/client/local/postgres/running.ts';
import { encodeBackend } from '../../../src/wire/postgres/backend.ts';
import { reportText } from '../../../src/wire/postgres/report.ts';
import { message } from '../../support/postgres/messages.ts';

const READY = encodeBackend({ name: 'ReadyForQuery', status: 'I' });
const HELLO = Buffer.concat([encodeBackend({ name: 'Authentication', request: { method: 'Ok' } }), READY]);
const NAMES = { user: 'hoop', database: 'shop' };
const SQL = { text: 'SELECT $1', parameters: ['1', null], prepared: true } as const;

const described = encodeBackend({
  name: 'RowDescription',
  columns: [
    {
      name: Buffer.from('a'),
      tableOid: 0,
      attributeNumber: 0,
      typeOid: 25,
      typeLength: -1,
      typeModifier: -1,
      format: 0,
    },
  ],
});
const row = (text: string) => encodeBackend({ name: 'DataRow', values: [Buffer.from(text)] });
const complete = (tag: string) => encodeBackend({ name: 'CommandComplete', tag });
const error = (code: string) =>
  encodeBackend({
    name: 'ErrorResponse',
    fields: [
      ['S', 'ERROR'],
      ['C', code],
      ['M', 'no'],
    ],
  });

/** A server that answers the introduction, and then what it is told; `end`: it closes behind it. */
class Server extends Duplex {
  heard = Buffer.alloc(0);
  readonly #answers: Buffer[];
  readonly #ends: boolean;

  constructor(answers: readonly Buffer[], ends: boolean) {
    super();
    this.#answers = [...answers];
    this.#ends = ends;
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.heard = Buffer.concat([this.heard, chunk]);
    const answer = this.#answers.shift();
    if (answer !== undefined) this.push(answer);
    if (this.#answers.length === 0 && this.#ends) this.push(null);
    done();
  }
}

function run(answer: readonly Buffer[], bounds: Partial<ResultBounds> = {}, ends = false) {
  const server = new Server([HELLO, Buffer.concat(answer)], ends);
  const end = runStatement(server, NAMES, SQL, { rows: 2, bytes: 100, ...bounds });
  return { server, end };
}

const texts = (rows: readonly (readonly (Buffer | null)[])[]) =>
  rows.map((one) => one.map((value) => value?.toString()));

describe('one statement', () => {
  it('is prepared, described, run for one row more than is kept, and the session is ended', async () => {
    const { server, end } = run([described, row('x'), complete('SELECT 1'), READY]);
    const { result } = (await end) as Extract<Awaited<typeof end>, { kind: 'done' }>;
    expect([texts(result.rows), result.tag, result.cut]).toEqual([[['x']], 'SELECT 1', undefined]);
    const behind = server.heard.subarray(server.heard.readUInt32BE(0));
    const types: string[] = [];
    for (let at = 0; at < behind.length; at += 1 + behind.readUInt32BE(at + 1))
      types.push(String.fromCharCode(behind[at]!));
    expect(types.join('')).toBe('PBDESX');
    const execute = behind.indexOf(Buffer.from('E\0\0\0\x09\0'));
    expect(behind.readUInt32BE(execute + 6)).toBe(3);
  });

  it.each<[string, Partial<ResultBounds>, readonly string[], readonly string[], string | undefined]>([
    ['as many rows as are kept', { rows: 2 }, ['a', 'b'], ['a', 'b'], undefined],
    ['one more', { rows: 2 }, ['a', 'b', 'c'], ['a', 'b'], 'rows'],
    ['octets to the bound', { bytes: 2 }, ['a', 'b'], ['a', 'b'], undefined],
    ['octets beyond it', { bytes: 2 }, ['a', 'bc'], ['a'], 'bytes'],
    ['what is small behind what was too large', { bytes: 2 }, ['abc', 'a'], [], 'bytes'],
  ])('with %s', async (_what, bounds, given, kept, cut) => {
    const { end } = run([described, ...given.map(row), complete(`SELECT ${given.length}`), READY], bounds);
    expect(await end).toMatchObject({ kind: 'done', result: { cut, tag: `SELECT ${given.length}` } });
    const done = await end;
    if (done.kind === 'done') expect(texts(done.result.rows)).toEqual(kept.map((text) => [text]));
  });

  it('that opens a transaction says that nothing of it stays', async () => {
    const { end } = run([complete('BEGIN'), encodeBackend({ name: 'ReadyForQuery', status: 'T' })]);
    expect(await end).toMatchObject({ result: { columns: undefined, rolledBack: true } });
  });

  it('that fails has the first error, whatever comes behind it', async () => {
    const { end } = run([error('42703'), error('25P02'), READY]);
    const failed = await end;
    expect(failed.kind === 'failed' && reportText(failed.error, 'C')).toBe('42703');
  });

  it('of a session that is refused, or ended with a word, has that', async () => {
    const refused = new Server([error('28000')], true);
    expect(await runStatement(refused, NAMES, SQL, { rows: 1, bytes: 1 })).toMatchObject({ kind: 'failed' });
    const ended = run([row('x'), error('57P01')], {}, true);
    expect(await ended.end).toMatchObject({ kind: 'failed' });
  });
});

it.each([
  ['ends without a word', [described, row('x')], true, 'ERR_TARGET_LOST'],
  [
    'copies',
    [encodeBackend({ name: 'CopyOutResponse', format: 0, columnFormats: [] })],
    false,
    'ERR_UNSUPPORTED',
  ],
  ['says what no server says', [message('?', Buffer.alloc(1))], false, 'ERR_MESSAGE_TYPE'],
  [
    'announces more than is taken',
    [Buffer.from([0x44, 0x7f, 0xff, 0xff, 0xff])],
    false,
    'ERR_MESSAGE_LENGTH',
  ],
])('a server that %s is an error', async (_what, answer, ends, code) => {
  await expect(run(answer, {}, ends).end).rejects.toMatchObject({ code });
});

it('whatever a server says, only our own errors come of it', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 40 }), async (octets) => {
      const failure = await run([Buffer.from(octets)], {}, true).end.catch((thrown: unknown) => thrown);
      if (failure instanceof Error) expect(failure).toMatchObject({ code: expect.stringMatching(/^ERR_/) });
    }),
    { numRuns: 200 },
  );
});
