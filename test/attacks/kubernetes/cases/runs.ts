/** K20: what is said while a command runs, and how it ends. */
import { once } from 'node:events';
import { eventually } from '../../../support/waiting.ts';
import { must } from '../../attack.ts';
import { MAIL, type Run, type RunAttack, type RunWorld } from '../runs-world.ts';

const [STDIN, STDOUT, STDERR, ERROR, RESIZE] = [0, 1, 2, 3, 4];
const SUCCESS = '{"metadata":{},"status":"Success"}';
const MIB = 1024 * 1024;

const on = (channel: number, text: string | Buffer) => Buffer.concat([Buffer.of(channel), Buffer.from(text)]);

/** What a client heard in one channel. */
function heard({ client }: Run, channel: number): string {
  const begin = `binary ${String.fromCharCode(channel)}`;
  return client.said
    .filter((one) => one.startsWith(begin))
    .map((one) => one.slice(begin.length))
    .join('');
}

const statusOf = (run: Run) => JSON.parse(heard(run, ERROR) || '{}') as Status;
interface Status {
  readonly status?: string;
  readonly message?: string;
  readonly details?: { readonly causes?: readonly { readonly reason: string; readonly message: string }[] };
}
const codeOf = (run: Run) =>
  statusOf(run).details?.causes?.find(({ reason }) => reason === 'ExitCode')?.message;

const exited = (code: string, message = '') =>
  JSON.stringify({
    status: 'Failure',
    message,
    reason: 'NonZeroExitCode',
    details: { causes: [{ reason: 'ExitCode', message: code }] },
  });

function running(
  what: string,
  query: string,
  say: (run: Run, world: RunWorld) => Promise<unknown>,
  version: 4 | 5 = 5,
): RunAttack {
  return {
    case: what,
    run: async (world) => {
      await say(await world.run(query, version), world);
      world.closeClients();
      // Others run on.
      const honest = await world.run('command=true');
      honest.target.send('binary', on(ERROR, SUCCESS));
      honest.target.close(1000);
      await honest.client.hears(/^close 1000/);
      must(statusOf(honest).status === 'Success', 'an honest command does not succeed');
    },
  };
}

/** A cluster that says this is no success, whatever a client takes for one. */
function noSuccess(what: string, say: (target: Run['target']) => void): RunAttack {
  return running(`${what} is no success`, 'command=ls', async (run) => {
    run.target.send('binary', on(STDOUT, 'half'));
    say(run.target);
    if (!run.target.closed) run.target.close(1000);
    await eventually(
      'it ends',
      () => run.client.closed || run.client.said.some((one) => one.startsWith('close')),
    );
    must(statusOf(run).status === 'Failure', `the client is told ${heard(run, ERROR)}`);
    must(codeOf(run) !== '0', 'the client is told of 0');
  });
}

/** What a client must not say ends its command with a failure, and the cluster hears nothing of it. */
function notSaid(
  what: string,
  query: string,
  say: (client: Run['client']) => unknown,
  version: 4 | 5 = 5,
): RunAttack {
  return running(
    `${what} goes nowhere`,
    query,
    async (run) => {
      const before = run.target.octets;
      say(run.client);
      await eventually(
        'it ends',
        () => run.client.closed || run.client.said.some((one) => one.startsWith('close')),
      );
      must(run.target.octets === before, `the cluster hears ${run.target.said.join(' / ')}`);
      must(statusOf(run).status !== 'Success', 'the client is told of a success');
    },
    version,
  );
}

const INPUT = 'command=cat&stdin=true';
const TERMINAL = 'command=sh&stdin=true&tty=true';

const ENDS: readonly RunAttack[] = [
  ...['1', '2', '3', '126', '127', '130', '137', '143', '255'].map((code) =>
    running(`exit ${code} is ${code} to the client`, 'command=ls', async (run) => {
      run.target.send('binary', on(ERROR, exited(code)));
      run.target.close(1000);
      await run.client.hears(/^close 1000/);
      must(codeOf(run) === code, `it is told of ${heard(run, ERROR)}`);
    }),
  ),
  ...['0', '256', '-1', '1e2', '+1', ' 1', '', '0x1', '1\n'].map((code) =>
    noSuccess(`a failure with the code ${JSON.stringify(code)}`, (target) =>
      target.send('binary', on(ERROR, exited(code))),
    ),
  ),
  noSuccess('an end without a status', () => undefined),
  noSuccess('a connection that breaks off', (target) => target.socket.destroy()),
  noSuccess('half of a status', (target) => target.send('binary', on(ERROR, SUCCESS.slice(0, -1)))),
  noSuccess('a status on the output', (target) => target.send('binary', on(STDOUT, SUCCESS))),
  noSuccess('a status in small letters', (target) => target.send('binary', on(ERROR, SUCCESS.toLowerCase()))),
  noSuccess('a status within another', (target) => target.send('binary', on(ERROR, `{"a":${SUCCESS}}`))),
  noSuccess('a success behind a failure', (target) => {
    target.send('binary', on(ERROR, exited('7')));
    target.send('binary', on(ERROR, SUCCESS));
  }),
  noSuccess('a status of 1 MiB', (target) =>
    target.send('binary', on(ERROR, `{"a":"${'x'.repeat(MIB)}","status":"Success"}`)),
  ),
  running('a status octet by octet is one', 'command=ls', async (run) => {
    for (const octet of exited('42')) run.target.send('binary', on(ERROR, octet));
    run.target.close(1000);
    await run.client.hears(/^close 1000/);
    must(codeOf(run) === '42', `it is told of ${heard(run, ERROR)}`);
  }),
];

const SHOWN: readonly RunAttack[] = [
  running('an output that is cut at every octet is masked', 'command=cat', async (run) => {
    for (const octet of `mail ${MAIL}\n`) run.target.send('binary', on(STDOUT, octet));
    await eventually('it is shown', () => heard(run, STDOUT).endsWith('\n'));
    must(heard(run, STDOUT) === 'mail ***\n', `it is shown ${heard(run, STDOUT)}`);
  }),
  running('a message in fragments, with others between, is masked', 'command=cat', async (run) => {
    run.target.send('binary', on(STDOUT, `mail ${MAIL.slice(0, 5)}`), false);
    run.target.send('ping', 'a');
    run.target.send('continuation', '', false);
    run.target.send('continuation', `${MAIL.slice(5)}\n`);
    await eventually('it is shown', () => heard(run, STDOUT).endsWith('\n'));
    must(heard(run, STDOUT) === 'mail ***\n', `it is shown ${heard(run, STDOUT)}`);
  }),
  running(
    'an output with the other one between is masked, and neither is mixed',
    'command=cat',
    async (run) => {
      for (const part of [MAIL.slice(0, 4), MAIL.slice(4)]) {
        run.target.send('binary', on(STDOUT, part));
        run.target.send('binary', on(STDERR, part));
      }
      run.target.send('binary', on(STDOUT, '\n'));
      run.target.send('binary', on(STDERR, '\n'));
      await eventually('it is shown', () => heard(run, STDOUT) !== '' && heard(run, STDERR) !== '');
      must(!run.client.received.includes(MAIL), 'leaked');
      must(
        heard(run, STDOUT) === '***\n' && heard(run, STDERR) === '***\n',
        heard(run, STDOUT) + heard(run, STDERR),
      );
    },
  ),
  running('a last line without an end is masked', 'command=cat', async (run) => {
    run.target.send('binary', on(STDOUT, MAIL));
    run.target.send('binary', on(ERROR, SUCCESS));
    run.target.close(1000);
    await run.client.hears(/^close 1000/);
    must(heard(run, STDOUT) === '***', `it is shown ${heard(run, STDOUT)}`);
  }),
  running('the message of a status is masked', 'command=cat', async (run) => {
    run.target.send('binary', on(ERROR, exited('3', `cannot mail ${MAIL}`)));
    await run.client.hears(/NonZeroExitCode/);
    must(!run.client.received.includes(MAIL), 'leaked');
    must(codeOf(run) === '3', 'the code is lost');
  }),
  running('what a cluster says as it closes is not shown', 'command=cat', async (run) => {
    run.target.close(1011, `mail ${MAIL}`);
    await run.client.hears(/^close/);
    must(!run.client.received.includes(MAIL), 'leaked');
  }),
  running('nothing that is masked is on record, each output by itself', 'command=cat', async (run, world) => {
    run.target.send('binary', on(STDOUT, `out ${MAIL}\n`));
    run.target.send('binary', on(STDERR, `err ${MAIL}\n`));
    run.target.send('binary', on(ERROR, exited('5')));
    await run.client.hears(/NonZeroExitCode/);
    const items = await world.recorded((all) => all.some(({ text }) => text.includes('exit 5')));
    const of = (kind: string) =>
      items
        .filter((one) => one.kind === kind)
        .map(({ text }) => text)
        .join('');
    must(of('output').includes('out ***'), 'the output is not on record');
    must(of('stderr').includes('err ***'), 'the other output is not on record');
    must(!JSON.stringify(items).includes(MAIL), 'it is on record as it was');
  }),
];

const SAID: readonly RunAttack[] = [
  notSaid('input that was not asked for', 'command=ls', (client) => client.send('binary', on(STDIN, 'x'))),
  notSaid('output of a client', INPUT, (client) => client.send('binary', on(STDOUT, 'x'))),
  notSaid('an error of a client', INPUT, (client) => client.send('binary', on(STDERR, 'x'))),
  notSaid('a status of a client', INPUT, (client) => client.send('binary', on(ERROR, SUCCESS))),
  notSaid('a size without a terminal', INPUT, (client) =>
    client.send('binary', on(RESIZE, '{"Width":1,"Height":1}')),
  ),
  notSaid('an unknown channel', INPUT, (client) => client.send('binary', on(7, 'x'))),
  notSaid('an end of an unknown channel', INPUT, (client) => client.send('binary', Buffer.of(255, 9))),
  running(
    'an end of a channel in version 4, which has none, goes nowhere',
    INPUT,
    async (run) => {
      run.client.send('binary', Buffer.of(255, 0));
      run.client.send('ping', 'behind it');
      await run.target.hears(/^ping/);
      must(run.target.octets === 0, `the cluster hears ${run.target.said.join(' / ')}`);
    },
    4,
  ),
  ...[
    '{"Width":70000,"Height":1}',
    '{"Width":-1,"Height":1}',
    '{"Width":1.5,"Height":1}',
    '{"Width":"1","Height":1}',
    '[]}',
    'x'.repeat(300),
    '{"Width":1}',
  ].map((size) =>
    notSaid(`the size ${size.slice(0, 30)}`, TERMINAL, (client) => client.send('binary', on(RESIZE, size))),
  ),
  notSaid('a frame without a mask', INPUT, (client) => client.raw(Buffer.from([0x82, 2, 0, 0x78]))),
  notSaid('a frame of an unknown kind', INPUT, (client) => client.raw(Buffer.from([0x83, 0x80, 1, 2, 3, 4]))),
  notSaid('a frame with bits of an extension', INPUT, (client) =>
    client.raw(Buffer.from([0xc2, 0x80, 1, 2, 3, 4])),
  ),
  notSaid('a control frame in fragments', INPUT, (client) =>
    client.raw(Buffer.from([0x09, 0x80, 1, 2, 3, 4])),
  ),
  notSaid('a continuation of nothing', INPUT, (client) => client.raw(Buffer.from([0x80, 0x80, 1, 2, 3, 4]))),
  notSaid('a frame of no length that ends', INPUT, (client) =>
    client.raw(Buffer.from([0x82, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4])),
  ),
  running('a size goes on as it is read, and nothing beside it', TERMINAL, async (run) => {
    run.client.send('binary', on(RESIZE, '{"Width":100,"Height":30,"Other":"$(id)"}'));
    await run.target.hears(/Width/);
    must(
      run.target.said.some((one) => /^binary .\{"Width":100,"Height":30\}$/s.test(one.trimEnd())),
      run.target.said.join(),
    );
  }),
  running('the end of the input is told', INPUT, async (run) => {
    run.client.send('binary', on(STDIN, 'last'));
    run.client.send('binary', Buffer.of(255, 0));
    await run.target.hears(/^binary .last$/s);
    await run.target.hears(/^binary ÿ.?$/s);
  }),
  running('input in fragments, with a ping between, is whole', INPUT, async (run) => {
    run.client.send('binary', on(STDIN, 'a'), false);
    run.client.send('ping', 'p');
    run.client.send('continuation', 'b', false);
    run.client.send('continuation', 'c');
    await eventually('it is heard', () => run.target.octets >= 3);
    const given = run.target.said.filter((one) => one.startsWith('binary \0')).map((one) => one.slice(8));
    must(given.join('') === 'abc', `it hears ${run.target.said.join(' / ')}`);
  }),
  running(
    'what pings is answered by the other side, and silence ends nothing',
    'command=sleep',
    async (run) => {
      run.client.send('ping', 'are you there');
      await eventually('it is not heard', () => run.target.said.some((one) => one.startsWith('ping')));
      const ping = run.target.said.find((one) => one.startsWith('ping'))!;
      must(!run.client.said.some((one) => one.startsWith('pong')), 'it is answered for the other side');
      run.target.send('pong', Buffer.from(ping.slice(5), 'latin1'));
      await run.client.hears(/^pong are you there$/);
      must(!run.client.closed, 'it is ended');
    },
  ),
  running('a flood of pings ends itself', 'command=sleep', async (run) => {
    for (let sent = 0; sent < 5_000; sent++) run.client.send('ping', `${sent}`);
    await eventually(
      'it goes on',
      () => run.client.closed || run.client.said.some((one) => one.startsWith('close')),
    );
    must(run.target.said.filter((one) => one.startsWith('ping')).length < 5_000, 'all of them go on');
  }),
];

const LONG = 192 * MIB;
/** What may be on its way between one end and the other: in sockets, and in the gateway. */
const ON_THE_WAY = 48 * MIB;
const PIECE = 31 * 1024;

/** Says more than either side holds, until it is all said or nothing moves any more. @returns Octets that were said. */
async function pours(from: Run['target'] | Run['client'], channel: number, moved: (said: number) => void) {
  const piece = on(channel, Buffer.alloc(PIECE, 'x'));
  for (let said = 0; ; said += PIECE) {
    moved(said);
    if (said >= LONG) return said;
    if (from.send('binary', piece)) continue;
    const drained = once(from.socket, 'drain').then(() => true);
    let looks = 0;
    const stuck = eventually('', () => looks++ > 400, Boolean, { everyMs: 1 }).then(() => false);
    if (!(await Promise.race([drained, stuck]))) return said;
  }
}

const BULK: readonly RunAttack[] = [
  running('input of 192 MiB is whole, and little of it is held', INPUT, async (run) => {
    const said = await pours(run.client, STDIN, (said) =>
      must(said - run.target.octets < ON_THE_WAY, `${said - run.target.octets} octets are held`),
    );
    run.client.send('binary', Buffer.of(255, 0));
    const ended = () => run.target.said.some((one) => one.startsWith('binary ÿ'));
    await eventually('it is whole', ended, Boolean, { withinMs: 60_000 });
    // Its messages have an octet more each, for their channel.
    must(said >= LONG && run.target.octets > said, `${run.target.octets} octets of ${said} were heard`);
  }),
  running('a cluster that does not read is sent no more, and the client waits', INPUT, async (run) => {
    run.target.socket.pause();
    const said = await pours(run.client, STDIN, () => undefined);
    must(said < ON_THE_WAY, `${said} octets were taken`);
  }),
  running(
    'a client that does not read is sent no more, and the cluster waits',
    'command=cat',
    async (run) => {
      run.client.socket.pause();
      const said = await pours(run.target, STDOUT, () => undefined);
      must(said < ON_THE_WAY, `${said} octets were taken`);
    },
  ),
];

export const K20: readonly RunAttack[] = [...ENDS, ...SHOWN, ...SAID, ...BULK];
