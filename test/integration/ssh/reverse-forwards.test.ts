/** Ports of the host's, by OpenSSH at both ends: where it listens, who gets in, and when that ends. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createConnection, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import ssh2 from 'ssh2';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { PATHS } from '../../../src/api/contract.ts';
import { HoopError } from '../../../src/core/errors.ts';
import { freePort } from '../../support/postgres/server.ts';
import type { Caller, RunningGateway } from '../../support/running-gateway.ts';
import { gatewayBefore } from '../../support/ssh/gateway.ts';
import { SshLocalEnd } from '../../support/ssh/local-end.ts';
import { type Sshd, startSshd } from '../../support/ssh/sshd.ts';
import { eventually } from '../../support/waiting.ts';

const SSN = '123-45-6789';

let allowed = 0;
let denied = 0;
let sshd: Sshd;
let running: RunningGateway;
let caller: Caller;
let local: SshLocalEnd;
/** What the client has, and the host is to reach. */
let service: Server;
const started: ChildProcess[] = [];

const policy = (more = '') => `
@id("use") permit (principal, action in [Action::"connect", Action::"ssh.exec", Action::"reveal"], resource);
@id("look") permit (principal is Person, action in [Action::"audit.search", Action::"session.list", Action::"session.kill"], resource);
@id("one-port") permit (principal, action == Action::"ssh.forward-remote", resource is Address)
when { resource.host == "localhost" && resource.port == ${allowed} };
@id("chosen") permit (principal, action == Action::"ssh.forward-remote", resource is Address)
when { resource.host == "127.0.0.1" };
@id("ids-are-masked") @mask("redact") forbid (principal, action == Action::"reveal", resource is Detected)
when { resource.tags.contains("pii.national-id") };
${more}`;

beforeAll(async () => {
  [allowed, denied] = [await freePort(), await freePort()];
  sshd = await startSshd({ config: ['GatewayPorts clientspecified'] });
  running = await gatewayBefore(sshd, policy(), undefined, '{ listens: loopback }');
  caller = await running.person(['developers'], { agent: 'copilot' });
  local = await SshLocalEnd.open(caller, 'host-1');
  // Says back what it is told, to the end of that.
  service = createServer({ allowHalfOpen: true }, (socket) =>
    socket.on('error', () => undefined).pipe(socket),
  );
  service.listen(0, '127.0.0.1');
  await once(service, 'listening');
});

afterAll(async () => {
  service?.close();
  local?.close();
  await running?.remove();
  await sshd?.stop();
});

afterEach(async () => {
  for (const child of started.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill();
    await once(child, 'exit');
  }
});

/** `ssh -N -R`, which goes on, or does not get its port. */
async function listening(
  bind: string,
  ...more: readonly string[]
): Promise<{ child: ChildProcess; said(): string }> {
  const { port } = service.address() as AddressInfo;
  const args = ['-p', `${local.port}`, '-N', '-v', '-o', 'ExitOnForwardFailure=yes', ...more];
  const child = spawn('ssh', [
    ...local.options,
    '-o',
    'LogLevel=DEBUG1',
    ...args,
    '-R',
    `${bind}:127.0.0.1:${port}`,
    'me@127.0.0.1',
  ]);
  started.push(child);
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
  const answer = /remote forward success|remote port forwarding failed|Allocated port/;
  await eventually(
    () => `ssh has no answer: ${said}`,
    () => answer.test(said) || child.exitCode !== null,
  );
  return { child, said: () => said };
}

/** Connects at the host, and says something. @returns What comes back, to its end; undefined: nobody listens. */
function told(port: number, text: string, host = '127.0.0.1'): Promise<string | undefined> {
  return new Promise((resolve) => {
    let heard = '';
    const socket = createConnection(port, host, () => socket.end(text));
    socket.setEncoding('utf8').on('data', (chunk: string) => (heard += chunk));
    socket.on('error', () => resolve(undefined)).on('close', () => resolve(heard));
  });
}

const events = async () => {
  const person = await running.person(['developers']);
  const { json } = await person.get(`${PATHS.auditEvents}?limit=200`);
  return JSON.stringify(json);
};

describe('a port of the host, where policy permits it', () => {
  it('is reached from the host, both ways, to the end of each, by many at once', async () => {
    await listening(`${allowed}`);
    const large = 'abc'.repeat(300_000);
    const texts = [large, ...Array.from({ length: 20 }, (_, n) => `client ${n}`)];
    expect(await Promise.all(texts.map((text) => told(allowed, text)))).toEqual(texts);
  });

  it('is an operation, and so is each connection there', async () => {
    await listening(`${allowed}`);
    expect(await told(allowed, 'x')).toBe('x');
    const on = await eventually('it is not on record', events, (text) =>
      text.includes(`connection to localhost:${allowed} from 127.0.0.1:`),
    );
    expect(on).toContain(`listen at localhost:${allowed}`);
  });

  it('carries to the client what is masked as output is', async () => {
    await listening(`${allowed}`);
    const back = await told(allowed, `her number is ${SSN}\n`);
    expect(back).toMatch(/^her number is /);
    expect(back).not.toContain(SSN);
  });

  it('is one that the host chooses, which its client is told', async () => {
    const { said } = await listening('127.0.0.1:0');
    const port = Number(/Allocated port (\d+) for remote forward/.exec(said())?.[1]);
    expect(await told(port, 'chosen')).toBe('chosen');
  });

  it('ends when its client takes it back, and can be asked for again', async () => {
    const control = join(local.directory, 'control');
    const { port } = service.address() as AddressInfo;
    await listening(`${allowed}`, '-M', '-S', control);
    expect(await told(allowed, 'x')).toBe('x');
    for (const [what, heard] of [
      ['cancel', undefined],
      ['forward', 'x'],
    ] as const) {
      const spec = ['-R', `${allowed}:127.0.0.1:${port}`];
      expect(await local.ssh(['-S', control, '-O', what, ...spec, 'me@127.0.0.1'])).toMatchObject({
        code: 0,
      });
      await eventually(
        what,
        () => told(allowed, 'x'),
        (text) => text === heard,
      );
    }
  });

  it('ends with its client, and when the session is ended', async () => {
    const { child } = await listening(`${allowed}`);
    child.kill();
    await eventually(
      'the host listens on',
      () => told(allowed, 'x'),
      (text) => text === undefined,
    );
    const again = await listening(`${allowed}`);
    const killed = new HoopError('ERR_SESSION_ENDED', 'somebody ended it');
    running.gateway.sessions.endWhere(() => true, killed);
    await eventually('ssh goes on', () => again.child.exitCode !== null);
    await eventually(
      'the host listens on',
      () => told(allowed, 'x'),
      (text) => text === undefined,
    );
  });
});

it('a connection ends at its next octet where policy permits the port no more, and no other comes in', async () => {
  await listening(`${allowed}`);
  const socket = createConnection(allowed, '127.0.0.1');
  socket.on('error', () => undefined).setEncoding('utf8');
  const closed = once(socket, 'close');
  await once(socket, 'connect');
  socket.write('one');
  expect(await once(socket, 'data')).toEqual(['one']);
  const inForce = async (text: string) => {
    running.write('policies/test.cedar', text);
    expect(await running.gateway.reload(running.load())).toBe(true);
  };
  await inForce(policy('@id("no") forbid (principal, action == Action::"ssh.forward-remote", resource);'));
  socket.write('two');
  await closed;
  expect(await told(allowed, 'x')).not.toBe('x');
  await inForce(policy());
  expect(await told(allowed, 'x')).toBe('x');
});

describe('a port that is not permitted', () => {
  it.each<[string, () => string]>([
    ['another', () => `${denied}`],
    ['everywhere, beyond what the resource has', () => `*:${allowed}`],
    ['everywhere, by an empty address', () => `:${allowed}`],
    ['at an address of the network', () => `0.0.0.0:${allowed}`],
    ['at an address that could be read as another', () => `127.1:${allowed}`],
  ])('%s: the host does not listen, and its client is told', async (_, bind) => {
    const { child, said } = await listening(bind());
    await eventually('ssh goes on', () => child.exitCode !== null);
    expect([child.exitCode, said()]).toEqual([255, expect.stringContaining('remote port forwarding failed')]);
    for (const port of [allowed, denied]) expect(await told(port, 'x')).toBeUndefined();
  });

  it('a socket of the file system', async () => {
    const { child } = await listening(join(sshd.directory, 'listening'));
    await eventually('ssh goes on', () => child.exitCode !== null);
    expect(child.exitCode).toBe(255);
  });

  it('a seventeenth', async () => {
    const client = new ssh2.Client();
    client.connect({ host: '127.0.0.1', port: local.port, username: 'me', privateKey: local.key });
    await once(client, 'ready');
    const another = () =>
      new Promise<number | Error>((resolve) =>
        client.forwardIn('127.0.0.1', 0, (error, port) => resolve(error ?? port)),
      );
    const ports = await Promise.all(Array.from({ length: 16 }, another));
    expect(new Set(ports).size).toBe(16);
    for (const port of ports) expect(port).toBeGreaterThan(0);
    expect(await another()).toBeInstanceOf(Error);
    client.end();
  });
});
