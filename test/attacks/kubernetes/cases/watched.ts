/** K12, K13: what comes piece by piece, and what is long. */
import { chunked, head, json } from '../../../support/http/messages.ts';
import { statusOf } from '../../../support/http/raw-http.ts';
import { eventually } from '../../../support/waiting.ts';
import { must } from '../../attack.ts';
import { leaksNothing, servesOn, shownTo } from '../attack.ts';
import { BASE64, type KubernetesAttack, type KubernetesGroup, MASKED } from '../world.ts';
import { as, IN_PROTOBUF, NS, OBJECT, PROTOBUF, SECRETS, TABLE } from './shown.ts';

const MAIL = 'ann@example.com';
/** Octets from the end, at which it is cut. */
const MAIL_PLACES = Array.from({ length: MAIL.length + 8 }, (_, at) => at + 3);

const line = (type: string, object: unknown) => `${JSON.stringify({ type, object })}\n`;
const BOOKMARK = {
  kind: 'Secret',
  metadata: { resourceVersion: '9', annotations: { 'k8s.io/initial-events-end': 'true' } },
};
const EVENTS = [
  line('ADDED', OBJECT),
  line('MODIFIED', OBJECT),
  line('BOOKMARK', BOOKMARK),
  line('DELETED', OBJECT),
  line('ERROR', { kind: 'Status', code: 410, message: 'too old' }),
].join('');
const WATCH = `${SECRETS}?watch=true`;
const watched = (body: string, type = 'application/json') => as(type, body);

/** Every event, in pieces that end at every octet of the first ones. */
function cuts(octets: Buffer): Buffer[][] {
  const headEnd = octets.indexOf('\r\n\r\n') + 4;
  const places = Array.from({ length: line('ADDED', OBJECT).length + 40 }, (_, at) => headEnd + at);
  return places.map((at) => [octets.subarray(0, at), octets.subarray(at)]);
}

/** A first event comes while the watch goes on, and nothing waits for its end. */
const atOnce: KubernetesAttack = {
  case: 'an event is shown as it comes, while the watch goes on',
  run: async (world) => {
    const first = line('ADDED', OBJECT);
    const begun = head('HTTP/1.1 200 OK', 'Content-Type: application/json', 'Transfer-Encoding: chunked');
    world.upstream.answer = () => [Buffer.from(`${begun}${first.length.toString(16)}\r\n${first}\r\n`)];
    const client = await world.through({ target: WATCH });
    const before = performance.now();
    await eventually('it is not shown', () => client.received.includes('ADDED'), Boolean, { everyMs: 2 });
    must(performance.now() - before < 1_000, 'it waits');
    must(!client.closed, 'the watch is ended');
    must(shownTo(client) === undefined, `leaked: ${client.received}`);
  },
};

export const K12: KubernetesGroup = {
  id: 'K12',
  policy: MASKED,
  attacks: [
    leaksNothing('each event', { target: WATCH }, [[watched(EVENTS)]], {
      status: 200,
      more: (client) =>
        must(
          ['ADDED', 'MODIFIED', 'BOOKMARK', 'DELETED', 'ERROR', 'initial-events-end', 'too old'].every(
            (one) => client.received.includes(one),
          ),
          'an event is missing',
        ),
    }),
    leaksNothing('cut at every octet', { target: WATCH }, cuts(watched(EVENTS)), { status: 200 }),
    leaksNothing('in chunks of seven octets', { target: WATCH }, [
      [chunked('200 OK', ['Content-Type: application/json'], ...(EVENTS.match(/.{1,7}/gs) ?? []))],
    ]),
    leaksNothing('without a break between events', { target: WATCH }, [
      [watched(EVENTS.replaceAll('\n', ''))],
    ]),
    leaksNothing('with an event that has no end', { target: WATCH }, [[watched(EVENTS.slice(0, 300))]]),
    leaksNothing('as a stream of another type', { target: WATCH }, [
      [watched(EVENTS, 'application/json;stream=watch')],
    ]),
    leaksNothing('in protobuf', { target: WATCH }, [[as(`${PROTOBUF};stream=watch`, IN_PROTOBUF)]], {
      status: 502,
    }),
    leaksNothing('?watch=1', { target: `${SECRETS}?watch=1` }, [[watched(EVENTS)]], { status: 200 }),
    leaksNothing('of the whole cluster', { target: '/api/v1/secrets?watch=true' }, [[watched(EVENTS)]], {
      status: 200,
    }),
    leaksNothing(
      '?sendInitialEvents=true',
      {
        target: `${WATCH}&sendInitialEvents=true&allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan`,
      },
      [[watched(EVENTS)]],
    ),
    leaksNothing('with tables in it', { target: WATCH, lines: [`Accept: ${TABLE}`] }, [
      [watched(line('ADDED', { kind: 'Table', rows: [{ cells: ['db'], object: OBJECT }] }))],
    ]),
    leaksNothing('with an error that tells an object', { target: WATCH }, [[watched(line('ERROR', OBJECT))]]),
    leaksNothing('answered as a list', { target: WATCH }, [[json({ items: [OBJECT] })]]),
    leaksNothing('of a real server', { target: `${WATCH}&timeoutSeconds=1` }, [], {
      at: 'server',
      status: 200,
    }),
    leaksNothing(
      'of one object of a real server',
      { target: `${WATCH}&timeoutSeconds=1&fieldSelector=metadata.name%3Ddb` },
      [],
      { at: 'server', status: 200 },
    ),
    leaksNothing(
      'of pods of a real server',
      { target: `${NS}/pods?watch=1&timeoutSeconds=1&allowWatchBookmarks=true` },
      [],
      { at: 'server', status: 200 },
    ),
    leaksNothing(
      'of ConfigMaps of a real server',
      { target: `${NS}/configmaps?watch=1&timeoutSeconds=1` },
      [],
      { at: 'server', status: 200 },
    ),
    atOnce,
  ],
};

/** A log that is followed, line by line. */
const follows: KubernetesAttack = {
  case: 'a line of a log is shown as it comes, while the log goes on',
  run: async (world) => {
    const begun = head('HTTP/1.1 200 OK', 'Content-Type: text/plain', 'Transfer-Encoding: chunked');
    world.upstream.answer = () => [Buffer.from(`${begun}8\r\nstarted\n\r\n`)];
    const client = await world.through({ target: `${NS}/pods/web/log?follow=true` });
    await eventually('it is not shown', () => client.received.includes('started'), Boolean, { everyMs: 2 });
    must(!client.closed, 'the log is ended');
  },
};

export const K21: KubernetesGroup = {
  id: 'K21',
  policy: MASKED,
  attacks: [
    follows,
    ...['text/plain', 'text/plain; charset=utf-8', '', 'application/octet-stream'].map((type) =>
      leaksNothing(
        `a log of ${type || 'no type'} with an address in it`,
        { target: `${NS}/pods/web/log?follow=true` },
        [
          [as(type, `mail ${MAIL}\n`)],
          [as(type, `{"mail":"${MAIL}"}\n`)],
          ...MAIL_PLACES.map((at) => {
            const octets = as(type, `mail ${MAIL}\nand\n`);
            const cut = octets.length - at;
            return [octets.subarray(0, cut), octets.subarray(cut)];
          }),
        ],
        { secret: MAIL },
      ),
    ),
  ],
};

const MIB = 1024 * 1024;

/** What a client gets of it is all of it, and the gateway holds little. */
function longAnswer(what: string, target: string, octets: Buffer, status = 200): KubernetesAttack {
  return {
    case: what,
    run: async (world) => {
      world.upstream.answer = () => [octets, 'end'];
      const client = await world.through({ target, lines: ['Connection: close'] });
      const before = process.memoryUsage().arrayBuffers;
      const most = { rise: 0 };
      await eventually(
        'it ends',
        () => {
          most.rise = Math.max(
            most.rise,
            process.memoryUsage().arrayBuffers - before - client.received.length,
          );
          return client.closed;
        },
        Boolean,
        { withinMs: 60_000, everyMs: 200 },
      );
      const [answered] = client.answers();
      must(answered !== undefined && statusOf(answered) === status, `it is answered ${answered?.start}`);
      must(shownTo(client) === undefined, 'leaked');
      must(most.rise < octets.length * 4 + 150 * MIB, `${most.rise} octets are held`);
      await servesOn(world);
    },
  };
}

const many = (count: number) =>
  json({
    kind: 'SecretList',
    metadata: { continue: 'abc', remainingItemCount: 1 },
    items: Array.from({ length: count }, () => ({
      ...OBJECT,
      data: { password: BASE64, filler: 'eHh4'.repeat(1200) },
    })),
  });

export const K13: KubernetesGroup = {
  id: 'K13',
  policy: MASKED,
  attacks: [
    ...(
      [
        '?limit=1',
        '?limit=500&resourceVersion=0',
        '?limit=1&continue=abc',
        '?resourceVersion=0',
        '?resourceVersion=1&resourceVersionMatch=Exact',
      ] as const
    ).map((query) =>
      leaksNothing(
        query,
        { target: SECRETS + query },
        [[json({ items: [OBJECT], metadata: { continue: 'abc' } })]],
        {
          status: 200,
          more: (client, { sent }) => {
            must(client.received.includes('"continue":"abc"'), 'where it goes on is not told');
            must(sent.includes(query), 'the cluster is asked for something else');
          },
        },
      ),
    ),
    ...(['?limit=1', '?resourceVersion=0'] as const).map((query) =>
      leaksNothing(`${query} of a real server`, { target: SECRETS + query }, [], {
        at: 'server',
        status: 200,
      }),
    ),
    longAnswer('a list of 10 000 objects, 50 MB', SECRETS, many(10_000)),
    longAnswer('the same of the whole cluster', '/api/v1/secrets?limit=10000', many(10_000)),
  ],
};
