import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { HoopError } from '../../../src/core/errors.ts';
import { isRefused } from '../../../src/protocols/http/request/refusals.ts';
import { readStream } from '../../../src/protocols/kubernetes/request/stream.ts';
import type { ChannelEvent } from '../../../src/protocols/kubernetes/streams/channels.ts';
import { failureStatus, StatusReader } from '../../../src/protocols/kubernetes/streams/exit-status.ts';
import { SizeReader } from '../../../src/protocols/kubernetes/streams/sizes.ts';
import { SpdyChannels } from '../../../src/protocols/kubernetes/streams/spdy-side.ts';
import { WebSocketChannels } from '../../../src/protocols/kubernetes/streams/websocket-side.ts';
import { SpdyWriter } from '../../../src/wire/http/spdy/frames.ts';
import { frame } from '../../../src/wire/http/websocket/frames.ts';

const exec = (query: string) => readStream([...new URLSearchParams(query)], 'k8s.exec');

describe('what a stream is asked to be', () => {
  it.each<[query: string, argv: string[], shell: boolean, takesCommands: boolean]>([
    ['command=ls&command=-l', ['ls', '-l'], false, false],
    ['command=/bin/ls', ['/bin/ls'], false, false],
    ['command=sh&command=-c&command=rm%20-rf', ['sh', '-c', 'rm -rf'], true, false],
    ['command=sh&command=-c&command=cat%20|%20sh', ['sh', '-c', 'cat | sh'], true, true],
    ['command=sh', ['sh'], true, true],
    ['command=env&command=bash', ['env', 'bash'], true, true],
    ['command=busybox&command=sh', ['busybox', 'sh'], true, true],
    ['command=python3&command=job.py', ['python3', 'job.py'], false, false],
    // Words are compared as they are: no shell reads them.
    ['command=ls%3Brm&command=', ['ls;rm', ''], false, false],
    ['command=ls+-l', ['ls -l'], false, false],
  ])('%s', (query, argv, shell, takesCommands) => {
    expect(exec(query)).toMatchObject({ argv, shell, takesCommands });
  });

  it.each([
    ['stdout=true', 'no command is named'],
    ['command=&command=ls', 'no command is named'],
    ['command=ls&stdin=yes', 'stdin, stdout, stderr or tty is neither true nor false'],
    ['command=ls&tty=', 'stdin, stdout, stderr or tty is neither true nor false'],
    ['command=ls&container=../x', 'the container has a name that none has'],
  ])('is refused: %s', (query, reason) => {
    expect(exec(query)).toMatchObject({ rule: 'k8s-query', reason });
  });

  it('has ports, one by one or in a list, and no others', () => {
    const forward = (query: string) => readStream([...new URLSearchParams(query)], 'k8s.port-forward');
    expect(forward('ports=80&ports=443,8080')).toMatchObject({
      ports: [80, 443, 8080],
      takesCommands: false,
    });
    for (const wrong of ['ports=0', 'ports=65536', 'ports=80,', 'ports=x'])
      expect(isRefused(forward(wrong) as never), wrong).toBe(true);
  });

  it('is attached to what nobody knows: that may take commands', () => {
    expect(readStream([['stdin', 'true']], 'k8s.attach')).toMatchObject({
      argv: [],
      stdin: true,
      takesCommands: true,
    });
  });
});

const MASK = Buffer.from([1, 2, 3, 4]);
const said = (channel: number, text: string) => Buffer.concat([Buffer.of(channel), Buffer.from(text)]);

function read(octets: Buffer, cuts: readonly number[]): string[] {
  const side = new WebSocketChannels('client', new PassThrough(), 5);
  const events: ChannelEvent[] = [];
  let from = 0;
  for (const cut of [...cuts, octets.length]) {
    events.push(...side.read(octets.subarray(from, cut)));
    from = cut;
  }
  const words: string[] = [];
  for (const event of events) {
    const { kind } = event;
    const word = 'channel' in event ? `${kind} ${event.channel}` : kind;
    const text = 'bytes' in event ? event.bytes.toString() : '';
    if (words.at(-1)?.startsWith(`${word}:`) && kind === 'data') words[words.length - 1] += text;
    else words.push(`${word}:${text}`);
  }
  return words;
}

describe('channels over a WebSocket', () => {
  const octets = Buffer.concat([
    frame('binary', true, said(4, '{"Width":80,"Height":24}'), MASK),
    // In fragments, of which the first is empty, around a ping.
    frame('binary', false, Buffer.alloc(0), MASK),
    frame('continuation', false, said(0, 'he'), MASK),
    frame('ping', true, Buffer.from('there?'), MASK),
    frame('continuation', true, Buffer.from('llo'), MASK),
    frame('binary', true, Buffer.of(0), MASK),
    frame('binary', true, Buffer.of(255, 0), MASK),
    frame('close', true, Buffer.of(3, 232), MASK),
  ]);
  const whole = [
    'data resize:{"Width":80,"Height":24}',
    'data stdin:he',
    'ping:there?',
    'data stdin:llo',
    'end stdin:',
    'closed:',
  ];

  it('are read the same wherever the octets are cut', () => {
    expect(read(octets, [])).toEqual(whole);
    for (let cut = 1; cut < octets.length; cut++) expect(read(octets, [cut]), String(cut)).toEqual(whole);
    expect(read(octets, [...octets.keys()].slice(1))).toEqual(whole);
  });

  it.each([
    ['an unknown channel', said(9, 'x')],
    ['the end of an unknown channel', Buffer.of(255, 9)],
  ])('do not know %s', (_what, payload) => {
    expect(() => read(frame('binary', true, payload, MASK), [])).toThrow(HoopError);
  });
});

describe('sizes of a terminal', () => {
  it('are read wherever they are cut, and two in one piece', () => {
    const text = Buffer.from('{"Width":80,"Height":24}\n{"Width":100,"Height":30}');
    for (let cut = 0; cut <= text.length; cut++) {
      const sizes = new SizeReader();
      const all = [text.subarray(0, cut), text.subarray(cut)].flatMap((part) => sizes.push(part)!);
      expect(all).toEqual([
        { columns: 80, rows: 24 },
        { columns: 100, rows: 30 },
      ]);
    }
  });

  it.each(['{"Width":-1,"Height":1}', '{"Width":1}', '{"Width":99999,"Height":1}', '}', 'x'.repeat(300)])(
    'are none: %s',
    (text) => {
      expect(new SizeReader().push(Buffer.from(text))).toBeUndefined();
    },
  );
});

const CLEAN = (text: string) => text.replaceAll('secret', '***');
const FAILED =
  '{"metadata":{},"status":"Failure","message":"a secret went wrong","reason":"NonZeroExitCode","details":{"causes":[{"reason":"ExitCode","message":"3"}]}}';

describe('the exit status', () => {
  it('is read wherever it is cut, and its message is masked', () => {
    for (let cut = 0; cut < FAILED.length; cut++) {
      const reader = new StatusReader(CLEAN);
      const first = reader.push(Buffer.from(FAILED.slice(0, cut)));
      expect(first).toBeUndefined();
      const status = reader.push(Buffer.from(FAILED.slice(cut)));
      expect(status).toMatchObject({ outcome: 'failure', words: 'exit 3' });
      expect(JSON.parse(status!.told.toString())).toMatchObject({ message: 'a *** went wrong' });
    }
  });

  it.each([
    ['{"status":"Success"}', 'exit 0'],
    ['{"status":"Failure","message":"no","reason":"InternalError"}', 'InternalError'],
    ['{"status":"Failure","reason":"NonZeroExitCode"}', 'NonZeroExitCode'],
    // No client is to take a code for what it is not.
    [FAILED.replace('"3"', '"0"'), 'NonZeroExitCode'],
    [FAILED.replace('"3"', '"256"'), 'NonZeroExitCode'],
  ])('of %s', (text, words) => {
    const status = new StatusReader(CLEAN).push(Buffer.from(text));
    expect(status!.words).toBe(words);
    if (words === 'NonZeroExitCode')
      expect(JSON.parse(status!.told.toString())).toMatchObject({ reason: 'InternalError' });
  });

  it.each(['{"status":"Perhaps"}', '[1]}', '{}', `${' '.repeat(70_000)}{"status":"Success"}`])(
    'is none: %s',
    (text) => {
      expect(new StatusReader(CLEAN).push(Buffer.from(text))).toBeUndefined();
    },
  );

  it('of the gateway says why', () => {
    const told = failureStatus(new HoopError('ERR_REVOKED', 'no more'));
    expect(JSON.parse(told.toString())).toMatchObject({
      status: 'Failure',
      message: 'hoop: ERR_REVOKED: no more {"rule":"ERR_REVOKED","next":"report","retryable":false}',
    });
  });
});

/** What is read of a client that speaks so, word by word. */
function readSpdy(
  make: (writer: SpdyWriter) => readonly Buffer[],
  name: 'client' | 'target' = 'client',
): string[] {
  const side = new SpdyChannels(name, new PassThrough());
  const words: string[] = [];
  for (const event of side.read(Buffer.concat(make(new SpdyWriter()))))
    words.push(
      [
        event.kind,
        'channel' in event ? event.channel : '',
        'bytes' in event ? event.bytes.toString('latin1') : '',
      ]
        .join(' ')
        .trimEnd(),
    );
  return words;
}

/** The frame HEADERS, which no peer of Kubernetes sends, in place of the answer to a stream. */
function speaksOf(reply: Buffer): Buffer {
  reply.writeUInt16BE(8, 2);
  return reply;
}

describe('channels over SPDY', () => {
  const open = (writer: SpdyWriter, id: number, channel: string) =>
    writer.open(id, [['streamtype', channel]]);

  it('are streams that the client opens', () => {
    const said = readSpdy((writer) => [
      open(writer, 1, 'error'),
      open(writer, 3, 'stdin'),
      writer.data(3, Buffer.from('hello'), true),
      writer.ping(1),
      writer.cancel(1),
      writer.cancel(3),
      writer.goaway(0),
    ]);
    expect(said).toEqual([
      'open error',
      'open stdin',
      'data stdin hello',
      'end stdin',
      'ping  \0\0\0\u0001',
      'end error',
    ]);
  });

  it.each<[what: string, make: (writer: SpdyWriter) => readonly Buffer[], name?: 'target']>([
    ['a channel that there is none of', (writer) => [open(writer, 1, 'data')]],
    ['a channel twice', (writer) => [open(writer, 1, 'stdin'), open(writer, 3, 'stdin')]],
    ['a number of a server', (writer) => [open(writer, 2, 'stdin')]],
    ['a number that goes back', (writer) => [open(writer, 3, 'stdin'), open(writer, 1, 'error')]],
    ['data of a stream that nobody opened', (writer) => [writer.data(5, Buffer.from('x'), false)]],
    [
      'data behind the last',
      (writer) => [
        open(writer, 1, 'stdin'),
        writer.data(1, Buffer.of(1), true),
        writer.data(1, Buffer.of(1), false),
      ],
    ],
    ['a stream of the cluster', (writer) => [open(writer, 2, 'stdin')], 'target'],
    ['answered by the client', (writer) => [open(writer, 1, 'stdin'), writer.reply(1)]],
    ['answered where nobody asked', (writer) => [writer.reply(1)], 'target'],
    ['spoken of once they are open', (writer) => [open(writer, 1, 'stdin'), speaksOf(writer.reply(1))]],
  ])('are not %s', (_what, make, name) => {
    expect(() => readSpdy(make, name)).toThrow(HoopError);
  });

  it('are answered once', () => {
    const side = new SpdyChannels('target', new PassThrough());
    const writer = new SpdyWriter();
    side.open('stdin');
    expect([...side.read(writer.reply(1))]).toEqual([]);
    expect(() => [...side.read(writer.reply(1))]).toThrow(HoopError);
  });

  it('have pings answered by the other side, each by its own number', async () => {
    const [client, target] = [new PassThrough(), new PassThrough()];
    const [asks, asked] = [new SpdyChannels('client', client), new SpdyChannels('target', target)];
    const writer = new SpdyWriter();
    for (const number of [1, 3, 5]) {
      for (const event of asks.read(writer.ping(number))) if (event.kind === 'ping') asked.ping(event.bytes);
      const passed = target.read() as Buffer;
      // The target answers with what it was asked.
      for (const event of asked.read(passed)) if (event.kind === 'pong') asked.ponged(event.bytes, asks);
      expect(client.read()).toEqual(writer.ping(number));
    }
  });
});
