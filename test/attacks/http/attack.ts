/** The common kinds of attack on HTTP, each judged by what a real target heard, beside a control that shows it is live. */

import { brotliDecompressSync, gunzipSync, inflateRawSync, inflateSync, zstdDecompressSync } from 'node:zlib';
import { head, type Message, type ReadOptions, readMessage } from '../../support/http/messages.ts';
import { headerOf, type RawHttp, statusOf } from '../../support/http/raw-http.ts';
import { type Heard, heardOf } from '../../support/http/recording-upstream.ts';
import { must } from '../attack.ts';
import { disguiseOf } from '../leak.ts';
import { reached } from './readings.ts';
import { type HttpAttack, type HttpWorld, SSN } from './world.ts';

/** What is sent, part by part; `auth` is the line by which the tunnel is opened. */
export type Octets = (auth: string, world: HttpWorld) => string | readonly (string | Buffer)[];

const HONEST = '/api/v1/orders/7';

/** Sends, and gives the answers: at least one, or the end of the connection. */
async function send(client: RawHttp, octets: Octets, world: HttpWorld): Promise<Message[]> {
  const parts = octets(world.authorization, world);
  await client.sendApart(...(typeof parts === 'string' ? [parts] : parts));
  return client.answered();
}

/** A request that is harmless and permitted. */
export function get(target: string, auth: string, ...lines: readonly string[]): string {
  return head(`GET ${target} HTTP/1.1`, 'Host: localhost', auth, ...lines);
}

/** The gateway serves others, and this target, as before. */
export async function servesOn(world: HttpWorld): Promise<void> {
  world.upstream.clear();
  const client = await world.through();
  client.send(get(HONEST, world.authorization));
  const [answer] = await client.answered();
  const served = answer !== undefined && statusOf(answer) === 200 && world.upstream.heard.length === 1;
  must(served, `an honest request is not served any more: ${answer?.start}`);
}

/** Where no gateway stands some server takes it for what policy permits nobody. */
async function demandLive(world: HttpWorld, octets: Octets): Promise<void> {
  const client = await world.direct();
  const parts = octets(world.authorization, world);
  await client.sendApart(...(typeof parts === 'string' ? [parts] : parts));
  client.end();
  await client.answered();
  const how = breach(world, 'localhost');
  must(
    how !== undefined,
    `dead: no server takes it for anything else: ${world.upstream.octets.toString('latin1')}`,
  );
  client.close();
  world.upstream.clear();
}

/** How what the target was sent gets to what is permitted to nobody, whatever it believes of the length of a body. */
function breach(world: HttpWorld, own = world.host): string | undefined {
  const { octets, heard } = world.upstream;
  const others = [{ lengthFirst: true }, { bodiless: /^(?:GET|HEAD|DELETE|OPTIONS) / }].flatMap((as) =>
    readAs(octets, as),
  );
  return [...heard, ...others].map((heard) => reached(heard, own)).find((how) => how !== undefined);
}

/** The same octets to a server that believes Content-Length where both are there, or knows no body of some methods. */
function readAs(octets: Buffer, as: ReadOptions): Heard[] {
  const found: Heard[] = [];
  for (let at = 0; at < octets.length; ) {
    const message = readMessage(octets, at, as);
    if (message === undefined) break;
    found.push(heardOf(message));
    at = message.end;
  }
  return found;
}

interface Expected {
  /** Of the first answer; default 400. The connection may be closed without one where 0 is among them. */
  readonly status?: readonly number[];
}

/** It goes nowhere: the target hears nothing at all, and the client is told by a status. */
export function refused(what: string, octets: Octets, expected: Expected = {}): HttpAttack {
  return {
    case: what,
    run: async (world) => {
      await demandLive(world, octets);
      await malformed(what, octets, expected).run(world);
    },
  };
}

/** It is malformed, or no two servers read it alike: it goes nowhere, whoever would read it how. */
export function malformed(what: string, octets: Octets, { status = [400] }: Expected = {}): HttpAttack {
  return {
    case: what,
    run: async (world) => {
      const client = await world.through();
      const [answer] = await send(client, octets, world);
      const got = answer === undefined ? 0 : statusOf(answer);
      const { octets: sent } = world.upstream;
      must(sent.length === 0, `the target was sent ${JSON.stringify(sent.toString('latin1'))}`);
      must(world.elsewhere.connections === 0, 'the gateway went where the client led it');
      must(status.includes(got), `answered with ${got} in place of ${status.join(' or ')}`);
      await servesOn(world);
    },
  };
}

/** It may go on, and in no server's reading it is more than what policy permits. */
export function harmless(
  what: string,
  octets: Octets,
  more: (world: HttpWorld) => void = () => undefined,
): HttpAttack {
  return {
    case: what,
    run: async (world) => {
      await demandLive(world, octets);
      const client = await world.through();
      const [answer] = await send(client, octets, world);
      const how = breach(world);
      must(how === undefined, `${how}: ${world.upstream.octets.toString('latin1')}`);
      must(answer !== undefined, 'no answer came');
      more(world);
      await servesOn(world);
    },
  };
}

/** Policy denies it, in the words of a problem, and the target hears nothing. */
export function denied(what: string, octets: Octets, rule: string): HttpAttack {
  return {
    case: what,
    run: async (world) => {
      const client = await world.through();
      const [answer] = await send(client, octets, world);
      must(world.upstream.octets.length === 0, 'the target was sent something');
      must(answer !== undefined && statusOf(answer) === 403, `answered with ${answer?.start}`);
      must(headerOf(answer, 'content-type') === 'application/problem+json', 'the answer is no problem');
      const problem = JSON.parse(answer.body.toString()) as { readonly rule?: string };
      must(problem.rule === rule, `denied by ${problem.rule}`);
      await servesOn(world);
    },
  };
}

/** The gateway's own answers to something that is sent to it. */
export function answers(
  what: string,
  octets: Octets,
  check: (answer: Message | undefined, world: HttpWorld) => void,
): HttpAttack {
  return {
    case: what,
    run: async (world) => {
      const client = await world.through();
      const [answer] = await send(client, octets, world);
      check(answer, world);
      await servesOn(world);
    },
  };
}

/** A body as it came, and undone by every coding that it may be in. */
function opened({ body }: Message): Buffer[] {
  const found = [body];
  for (const octets of found) {
    for (const undo of [gunzipSync, inflateSync, inflateRawSync, brotliDecompressSync, zstdDecompressSync]) {
      try {
        if (found.length < 8) found.push(undo(octets, { maxOutputLength: 1 << 20 }));
      } catch {}
    }
  }
  return found;
}

/** In which disguise a client was sent a secret. */
function shownTo(client: RawHttp, secret: string): string | undefined {
  const bodies = client.answers().flatMap(opened);
  return [client.received, ...bodies]
    .map((octets) => disguiseOf(octets, secret))
    .find((one) => one !== undefined);
}

interface Leak {
  readonly secret?: string;
  /** Default GET. */
  readonly method?: string;
  readonly lines?: readonly string[];
}

/**
 * The target's answer holds a secret that must reach the client in no disguise, though the same answer shows it where no
 * gateway stands.
 *
 * @param answered Each is tried by itself.
 */
export function leaksNothing(
  what: string,
  target: string,
  answered: readonly (readonly Buffer[])[],
  { secret = SSN, method = 'GET', lines = [] }: Leak = {},
): HttpAttack {
  const octets: Octets = (auth) =>
    head(`${method} ${target} HTTP/1.1`, 'Host: localhost', auth, 'Connection: close', ...lines);
  return {
    case: what,
    run: async (world) => {
      for (const pieces of answered) {
        world.upstream.answer = () => [...pieces, 'end'];
        const direct = await world.direct();
        await send(direct, octets, world);
        must(shownTo(direct, secret) !== undefined, 'dead: the answer itself shows nothing');
        direct.close();
        const client = await world.through();
        await send(client, octets, world);
        const found = shownTo(client, secret);
        must(found === undefined, `leaked, ${found}: ${JSON.stringify(client.received.toString('latin1'))}`);
        must(client.received.length > 0, 'no answer came');
        client.close();
      }
      await servesOn(world);
    },
  };
}

/** The same octets in two writes, cut at every place. */
export function everyCut(octets: Buffer): Buffer[][] {
  return Array.from({ length: octets.length - 1 }, (_, at) => [
    octets.subarray(0, at + 1),
    octets.subarray(at + 1),
  ]);
}
