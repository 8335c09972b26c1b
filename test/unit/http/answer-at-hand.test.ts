/** An answer by HTTP/1.1 whose body is taken at once where it has come whole, and read as a stream where not. */
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { expect, it } from 'vitest';
import { Http1Answer } from '../../../src/protocols/http/target/http1/answer.ts';

function answer(...pieces: string[]) {
  const did: string[] = [];
  const carrier = {
    socket: { destroy: () => did.push('closed') } as unknown as Socket,
    resume: () => void did.push('read on'),
    pause: () => undefined,
    done: () => undefined,
    giveBack: () => undefined,
    release: () => {
      throw new Error('it is no upgrade');
    },
  };
  const one = new Http1Answer(200, [], carrier);
  const takes = pieces.map((piece) => one.push(Buffer.from(piece)));
  return { one, did, takes };
}

it.each([[[]], [['a']], [['a', 'b', 'c']]])(
  'the body %j is at hand once it has ended, and given once',
  async (pieces) => {
    const { one, did } = answer(...pieces);
    expect(one.atHand()).toBeUndefined();
    one.end(['x', '1']);
    expect([String(one.atHand()), one.trailers()]).toEqual([pieces.join(''), ['x', '1']]);
    one.leave();
    expect([did, await buffer(one.body)]).toEqual([[], Buffer.alloc(0)]);
  },
);

it('one that somebody reads is a stream from its beginning, and never at hand', async () => {
  const { one } = answer('a', 'b');
  const read = buffer(one.body);
  one.push(Buffer.from('c'));
  one.end([]);
  expect([one.atHand(), String(await read)]).toEqual([undefined, 'abc']);
});

it('no more than a little is held of one that nobody reads yet', () => {
  const piece = 'x'.repeat(16 * 1024);
  expect(answer(piece, piece, piece, piece, piece).takes).toEqual([true, true, true, false, false]);
});

it.each([
  ['before anybody reads it', false],
  ['while somebody does', true],
])('one that breaks off %s fails, and is never at hand', async (_when, reading) => {
  const { one } = answer('a');
  if (reading) one.body.resume();
  one.fail(new Error('it broke off'));
  expect(one.atHand()).toBeUndefined();
  await expect(once(one.body, 'end')).rejects.toThrow('it broke off');
});

it.each([
  ['not read yet', false],
  ['being read', true],
])('whoever leaves one that is %s closes its connection', async (_how, reading) => {
  const { one, did } = answer('a');
  if (reading) one.body.resume();
  one.leave();
  if (reading) await once(one.body, 'close');
  expect(did.filter((what) => what === 'closed')).toEqual(['closed']);
});
