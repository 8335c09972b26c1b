/** H22: a client or a target that is slow, floods, or leaves. */
import { answer, head } from '../../../support/http/messages.ts';
import { headerOf, statusOf } from '../../../support/http/raw-http.ts';
import { eventually } from '../../../support/waiting.ts';
import { must } from '../../attack.ts';
import { get, servesOn } from '../attack.ts';
import type { HttpAttack, HttpGroup } from '../world.ts';

const ORDER = '/api/v1/orders/1';
const BEGUN = Buffer.from(head('HTTP/1.1 200 OK', 'Content-Type: text/plain', 'Content-Length: 1000000'));

/** The client learns that the answer is not whole: it ends before its length, or is none. */
function notWhole(
  what: string,
  answered: readonly (Buffer | 'reset' | 'end')[],
  status: readonly number[] = [],
): HttpAttack {
  return {
    case: what,
    run: async (world) => {
      world.upstream.answer = () => answered;
      const client = await world.through();
      client.send(get(ORDER, world.authorization));
      const answers = await client.answered();
      const [got] = answers;
      if (got === undefined) must(client.closed, 'the client waits for ever');
      else must(status.includes(statusOf(got)), `answered with ${got.start}, as if it were whole`);
      await servesOn(world);
    },
  };
}

const raw = (...lines: readonly string[]) => Buffer.from(lines.join('\r\n'), 'latin1');

export const H22: HttpGroup = {
  id: 'H22',
  attacks: [
    {
      case: 'fifty clients that never end their heads',
      run: async (world) => {
        for (let at = 0; at < 50; at++)
          (await world.through()).send(`GET ${ORDER} HTTP/1.1\r\nHost: localhost\r\nX-${at}: `);
        await servesOn(world);
      },
    },
    {
      case: 'a client that leaves in the middle of an answer',
      run: async (world) => {
        world.upstream.answer = () => [BEGUN, Buffer.alloc(100_000, 'a')];
        const client = await world.through();
        client.send(get(ORDER, world.authorization));
        await eventually('the answer has begun', () => client.received.includes('aaaa'));
        client.reset();
        await eventually('the target is told', () => world.upstream.open === 0);
        await servesOn(world);
      },
    },
    {
      case: 'a client that leaves in the middle of a body',
      run: async (world) => {
        const client = await world.through();
        client.send(
          `${head('POST /api/v1/orders HTTP/1.1', 'Host: localhost', world.authorization, 'Content-Length: 1000000')}${'a'.repeat(1000)}`,
        );
        await eventually('the body has begun', () => world.upstream.octets.includes('aaaa'));
        client.reset();
        await eventually('the target is told', () => world.upstream.open === 0);
        must(world.upstream.heard.length === 0, 'the target took it for whole');
        await servesOn(world);
      },
    },
    notWhole('a target that resets midway', [BEGUN, Buffer.from('a'), 'reset']),
    notWhole('a target that ends midway', [BEGUN, Buffer.from('a'), 'end']),
    notWhole('a target that ends within its chunks', [
      raw('HTTP/1.1 200 OK', 'Transfer-Encoding: chunked', '', '5', 'hello', '5', 'he'),
      'end',
    ]),
    notWhole('a target that says nothing and leaves', ['end'], [502]),
    notWhole(
      'a target that sends garbage',
      [Buffer.from('\x16\x03\x01\x00\x01garbage\r\n\r\n'), 'end'],
      [502],
    ),
    notWhole('a head that has no end', [raw('HTTP/1.1 200 OK', 'X-A: b'), 'end'], [502]),
    notWhole(
      'a head of 1 MiB',
      [raw('HTTP/1.1 200 OK', `X-A: ${'a'.repeat(1 << 20)}`, '', ''), 'end'],
      [502],
    ),
    notWhole(
      'two lengths',
      [raw('HTTP/1.1 200 OK', 'Content-Length: 5', 'Content-Length: 6', '', 'hello'), 'end'],
      [502],
    ),
    notWhole(
      'both framings',
      [raw('HTTP/1.1 200 OK', 'Content-Length: 5', 'Transfer-Encoding: chunked', '', '0', '', ''), 'end'],
      [502],
    ),
    notWhole('a status that is none', [raw('HTTP/1.1 999 What', 'Content-Length: 0', '', ''), 'end'], [502]),
    notWhole(
      'a bare LF in a value',
      [raw('HTTP/1.1 200 OK', 'X-A: b\nSet-Cookie: c', 'Content-Length: 0', '', ''), 'end'],
      [502, 200],
    ),
    {
      case: 'an answer that nobody asked for is not the next one’s',
      run: async (world) => {
        const planted = answer('200 OK', ['X-Planted: 1', 'Content-Type: text/plain'], 'planted');
        world.upstream.answer = () => [
          Buffer.concat([answer('200 OK', ['Content-Type: text/plain'], 'first'), planted]),
        ];
        for (let at = 0; at < 5; at++) {
          const client = await world.through();
          client.send(get(ORDER, world.authorization));
          const [got] = await client.answered();
          must(got === undefined || headerOf(got, 'x-planted') === undefined, 'the planted answer was given');
        }
        await servesOn(world);
      },
    },
  ],
};
