/** The common kinds of attack on a cluster, each judged by what the cluster was sent, beside a control that shows it is live. */
import { brotliDecompressSync, gunzipSync, inflateSync } from 'node:zlib';
import type { Message } from '../../support/http/messages.ts';
import { type RawHttp, statusOf } from '../../support/http/raw-http.ts';
import { heardOf } from '../../support/http/recording-upstream.ts';
import { eventually } from '../../support/waiting.ts';
import { must } from '../attack.ts';
import { disguiseOf } from '../leak.ts';
import { breach } from './reading.ts';
import { type Asked, type KubernetesAttack, type KubernetesWorld, type Place, SECRET } from './world.ts';

const HONEST: Asked = { target: '/api/v1/namespaces/NS/pods?limit=1' };

/** What is permitted is answered, as before. */
export async function servesOn(world: KubernetesWorld, honest = HONEST): Promise<void> {
  world.closeClients();
  const [answer] = await (await world.through(honest)).answered();
  must(answer !== undefined && statusOf(answer) === 200, `an honest request is not served: ${answer?.start}`);
  must(world.sent.length > 0, 'an honest request does not reach the cluster');
  world.closeClients();
}

/** Past the gateway it does what policy permits nobody: at a cluster of raw octets in some reading, at a real one by its answer. */
async function demandLive(world: KubernetesWorld, asked: Asked): Promise<void> {
  const client = await world.direct(asked);
  if (!world.isRecording) {
    const [answer] = await client.answered();
    must(answer !== undefined && statusOf(answer) < 400, `dead: ${answer?.start} ${answer?.body}`);
  } else {
    await eventually('dead: it is not heard', () => world.upstream.heard.length > 0);
    const [heard] = world.upstream.heard;
    must(
      breach(heard!, world.namespace) !== undefined,
      `dead: no cluster takes it for anything else: ${heard!.start}`,
    );
  }
  world.closeClients();
}

interface Kept {
  /** False: it need do nothing that policy forbids, past the gateway; it goes nowhere since two servers read it in two ways. */
  readonly live?: boolean;
  readonly at?: Place | undefined;
  /** By which it is denied or refused; default any. */
  readonly rule?: string;
  /** Of the answer. */
  readonly status?: readonly number[];
}

/** It goes nowhere: the cluster is sent nothing at all, and the client a `Status` that kubectl prints. */
export function kept(
  what: string,
  asked: Asked,
  { at, rule, status = [403, 400], live = true }: Kept = {},
): KubernetesAttack {
  return {
    case: what,
    ...(at === undefined ? {} : { at }),
    run: async (world) => {
      if (live) await demandLive(world, asked);
      const [answer] = await (await world.through(asked)).answered();
      must(world.sent.length === 0, `the cluster is sent ${world.sent.toString('latin1')}`);
      must(answer !== undefined && status.includes(statusOf(answer)), `it is answered ${answer?.start}`);
      if (asked.method !== 'HEAD') mustBeStatus(answer, rule);
      await servesOn(world);
    },
  };
}

/** An answer as kubectl reads it. */
function mustBeStatus(answer: Message, rule?: string): void {
  const told = JSON.parse(answer.body.toString()) as Record<string, unknown>;
  const { kind, status, reason, code, hoop } = told;
  must(kind === 'Status' && status === 'Failure', `the answer is no Status: ${answer.body}`);
  must(code === statusOf(answer), `its code is ${code}`);
  if (code === 403) must(reason === 'Forbidden', `its reason is ${reason}`);
  const by = (hoop as { readonly rule?: string }).rule;
  must(rule === undefined || by === rule, `it is denied by ${by}`);
}

/** It may go on, and in no server's reading it is more than what policy permits. */
export function harmless(
  what: string,
  asked: Asked,
  more: (world: KubernetesWorld) => void = () => undefined,
  { live = true }: Pick<Kept, 'live'> = {},
): KubernetesAttack {
  return {
    case: what,
    run: async (world) => {
      if (live) await demandLive(world, asked);
      const [answer] = await (await world.through(asked)).answered();
      must(answer !== undefined, 'no answer came');
      const how = world.upstream.heard
        .map((heard) => breach(heard, world.namespace))
        .find((one) => one !== undefined);
      must(how === undefined, `${how}: ${world.sent.toString('latin1')}`);
      more(world);
      await servesOn(world);
    },
  };
}

/** What is permitted, and is answered as the cluster answers it. */
export function served(what: string, asked: Asked, at?: Place): KubernetesAttack {
  return {
    case: what,
    ...(at === undefined ? {} : { at }),
    run: async (world) => {
      const plain = await world.admin(asked);
      must(statusOf(plain) < 400, `dead: ${plain.start}`);
      world.closeClients();
      const [answer] = await (await world.through(asked)).answered();
      must(answer !== undefined && statusOf(answer) === statusOf(plain), `it is answered ${answer?.start}`);
      must(world.sent.length > 0, 'the cluster is not asked');
    },
  };
}

/** What the cluster was sent, as a server reads it. */
export function sentHeaders(world: KubernetesWorld, name: string): string[] {
  return world.upstream.heard
    .map(heardOf)
    .flatMap(({ headers }) => headers.filter((one) => one[0].toLowerCase() === name).map((one) => one[1]));
}

/** A body as it came, and undone by the codings that it may be in. */
function opened(body: Buffer): Buffer[] {
  const found = [body];
  for (const octets of found)
    for (const undo of [gunzipSync, inflateSync, brotliDecompressSync])
      try {
        if (found.length < 6) found.push(undo(octets, { maxOutputLength: 64 << 20 }));
      } catch {}
  return found;
}

/** In which disguise a client was sent a secret. */
export function shownTo(client: RawHttp, secret = SECRET): string | undefined {
  const all = [client.received, ...client.answers().flatMap(({ body }) => opened(body))];
  // JSON may write any character by its number.
  const written = all.map((octets) =>
    Buffer.from(
      octets
        .toString('latin1')
        .replaceAll(/\\u00([0-9a-f]{2})/gi, (_, hex: string) =>
          String.fromCharCode(Number.parseInt(hex, 16)),
        ),
      'latin1',
    ),
  );
  return [...all, ...written]
    .map((octets) => disguiseOf(octets, secret) ?? twice(octets, secret))
    .find((one) => one !== undefined);
}

/** Base64 of base64, as Helm's releases are. */
function twice(octets: Buffer, secret: string): string | undefined {
  const form = Buffer.from(Buffer.from(secret).toString('base64')).toString('base64').slice(0, 24);
  return octets.includes(form) ? 'base64 twice' : undefined;
}

interface Leak {
  readonly at?: Place;
  readonly secret?: string;
  /** Must be answered so through the gateway; default any. */
  readonly status?: number;
  /** More to look at in what the client was answered. */
  readonly more?: (client: RawHttp, world: KubernetesWorld) => void;
}

/**
 * A cluster's answer holds a value that must reach the client in no disguise, though the same answer shows it past the gateway.
 *
 * @param answered What a cluster of raw octets answers, each tried by itself; none: it answers as it is.
 */
export function leaksNothing(
  what: string,
  asked: Asked,
  answered: readonly (readonly Buffer[])[] = [],
  { at, secret = SECRET, status, more }: Leak = {},
): KubernetesAttack {
  return {
    case: what,
    ...(at === undefined ? {} : { at }),
    run: async (world) => {
      const closing = { ...asked, lines: [...(asked.lines ?? []), 'Connection: close'] };
      for (const pieces of answered.length === 0 ? [undefined] : answered) {
        const answers = () => {
          if (pieces !== undefined) world.upstream.answer = () => [...pieces, 'end'];
        };
        answers();
        const direct = await world.direct(closing);
        await direct.answered();
        must(shownTo(direct, secret) !== undefined, `dead: it shows nothing: ${direct.received}`);
        world.closeClients();
        answers();
        const client = await world.through(closing);
        const [answer] = await client.answered();
        const found = shownTo(client, secret);
        must(found === undefined, `leaked, ${found}: ${client.received.toString('latin1').slice(0, 2000)}`);
        must(answer !== undefined || client.closed, 'no answer came');
        must(world.sent.length > 0, 'the cluster was not asked');
        if (status !== undefined)
          must(answer !== undefined && statusOf(answer) === status, `it is answered ${answer?.start}`);
        more?.(client, world);
        world.closeClients();
      }
      await servesOn(world);
    },
  };
}
