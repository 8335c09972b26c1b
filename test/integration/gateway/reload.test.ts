import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PATHS } from '../../../src/api/contract.ts';
import { newSealKeyText } from '../../../src/audit/keys.ts';
import type { Log } from '../../../src/core/log.ts';
import { followConfig, readConfig } from '../../../src/gateway/config/follow.ts';
import type { Loaded } from '../../../src/gateway/config/load.ts';
import { settledConfig, watchConfig } from '../../../src/gateway/config/watch.ts';
import { makeLocalCertificates } from '../../../src/gateway/init/certificates.ts';
import type { Gateway } from '../../../src/gateway/running.ts';
import type { Adapter, StreamContext } from '../../../src/protocols/adapter.ts';
import { type Caller, OPEN_POLICY, openTls, RunningGateway } from '../../support/running-gateway.ts';
import { timePasses } from '../../support/waiting.ts';

let running: RunningGateway;
let agent: Caller;
const lines: string[] = [];
const log: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: (message, fields) => void lines.push(`${message} ${JSON.stringify(fields)}`),
  error: (message, fields) => void lines.push(`${message} ${JSON.stringify(fields)}`),
  child: () => log,
};
const closed: string[] = [];

beforeEach(async () => {
  lines.length = 0;
  closed.length = 0;
  running = await RunningGateway.start({ adapter: askingAdapter(), deps: { log } });
  agent = await running.person(['developers'], { agent: 'copilot' });
});

afterEach(() => running.remove());

const reload = () => running.gateway.reload(running.load());

/** Asks for one `sql.select` per line, and says what the answer was. */
function askingAdapter(): Adapter {
  return {
    protocol: 'postgres',
    close: async () => void closed.push('closed'),
    serve: (stream: Duplex, { session, guard, signal }: StreamContext) =>
      new Promise((resolve) => {
        const end = () => resolve({ reason: 'client-left', bytesIn: 0, bytesOut: 0 });
        stream.on('data', async () => {
          const table = {
            schema: 'public',
            name: 'orders',
            kind: 'table',
            system: false,
            sensitive: false,
            tags: [],
          };
          const answer = await guard.ask({
            pairs: [
              {
                action: 'sql.select',
                object: { type: 'Table', id: 'echo/public.orders', attrs: table, parent: session.resource },
              },
            ],
            context: { functions: [] },
            text: 'select',
          });
          if (answer.effect === 'allow') answer.close('success');
          stream.write(`${answer.effect};`);
        });
        stream.on('close', end);
        stream.on('error', end);
        signal.addEventListener('abort', () => stream.end('bye', end), { once: true });
      }),
  };
}

async function reloads() {
  const auditor = await running.person(['auditors'], { name: 'ada' });
  return (await auditor.get(`${PATHS.auditEvents}?type=config.reloaded`)).json.events;
}

describe('a reload', () => {
  it('puts a new policy in force at the next statement of a live session', async () => {
    const tunnel = await agent.tunnel('echo');
    tunnel.socket.write('1');
    expect(await tunnel.until('allow;')).toBe('allow;');
    running.write(
      'policies/new.cedar',
      '@id("freeze") forbid (principal in Group::"ai-agents", action in Action::"sql", resource);',
    );
    expect(await reload()).toBe(true);
    tunnel.socket.write('2');
    expect(await tunnel.until('deny;')).toBe('allow;deny;');
    tunnel.socket.destroy();
    const [event] = await reloads();
    expect(event).toMatchObject({
      outcome: 'success',
      policyVersion: expect.stringMatching(/^[0-9a-f]{16}$/),
    });
  });

  it('an invalid policy leaves the old one in force and says where the mistake is', async () => {
    running.write(
      'policies/new.cedar',
      `${OPEN_POLICY.replaceAll('@id("', '@id("2')}\npermit (principal, action, resource)`,
    );
    expect(await reload()).toBe(false);
    expect((await agent.get(PATHS.resources)).json.resources).toHaveLength(2);
    expect(lines.join('\n')).toMatch(/policies\/new\.cedar:\d+:\d+: /);
    const [event] = await reloads();
    expect(event).toMatchObject({ outcome: 'failure', facts: { mistakes: 1 } });
    expect(event.facts.first).toContain('policies/new.cedar');
  });

  it('an invalid configuration does, too', async () => {
    running.write(
      'hoopd.yaml',
      running.config().replace('drain', 'drian').replace('state: sqlite', 'state: mysql'),
    );
    expect(await reload()).toBe(false);
    expect(lines[0]).toContain('hoopd.yaml:3:8: state: expected sqlite:DIRECTORY');
    expect((await agent.get(PATHS.whoami)).status).toBe(200);
  });

  it('adds, changes and removes resources; sessions of a removed one go on', async () => {
    const tunnel = await agent.tunnel('echo');
    const more = `
  fresh:
    protocol: postgres
    target: { host: 127.0.0.1, port: 2, database: shop, tls: disable }
    credentials: { user: hoop, password: { file: password } }
`;
    running.write(
      'hoopd.yaml',
      running.config().replace(/resources:[\s\S]*policies:/, `resources:${more}policies:`),
    );
    expect(await reload()).toBe(true);
    const names = (await agent.get(PATHS.resources)).json.resources.map((one: { name: string }) => one.name);
    expect(names).toEqual(['fresh']);
    expect(closed).toHaveLength(1);
    tunnel.socket.write('1');
    expect(await tunnel.until('allow;')).toBe('allow;');
    tunnel.socket.destroy();
    await expect.poll(() => closed.length).toBe(2);
    expect(JSON.parse(await (await agent.tunnel('echo')).until()).code).toBe('ERR_NO_ACCESS');
    const { facts } = (await reloads())[0];
    expect(facts).toMatchObject({ added: 'fresh', removed: 'echo short' });
    expect(facts).not.toHaveProperty('changed');
  });

  it('an unchanged resource keeps its adapter', async () => {
    await reload();
    expect(closed).toEqual([]);
  });

  it('a removed agent gets no new token', async () => {
    running.write('hoopd.yaml', running.config().replace(/ {2}copilot:.*\n/, ''));
    expect(await reload()).toBe(true);
    await expect(running.person(['developers'], { agent: 'copilot' })).rejects.toThrow('ERR_AGENT_UNKNOWN');
  });

  it('a new certificate is shown to the next connection', async () => {
    const before = (await openTls(running)).getPeerX509Certificate()?.fingerprint256;
    const { authority, server } = await makeLocalCertificates(['localhost', '127.0.0.1'], Date.now());
    running.write('tls.crt', server.cert);
    running.write('tls.key', server.key);
    expect(await reload()).toBe(true);
    const renewed = Object.assign(Object.create(running), { authority });
    Object.defineProperty(renewed, 'port', { value: running.port });
    const after = (await openTls(renewed)).getPeerX509Certificate()?.fingerprint256;
    expect(after).toBeDefined();
    expect(after).not.toBe(before);
  });

  it('says which changed keys need a restart', async () => {
    running.write('hoopd.yaml', `${running.config()}limits: { connections: 5 }\n`);
    expect(await reload()).toBe(true);
    expect(lines.join()).toContain('limits');
  });

  it('says that a new seal key needs one, though the configuration names the same file', async () => {
    running.write('seal.key', newSealKeyText());
    expect(await reload()).toBe(true);
    expect(lines.join()).toContain('"keys":"audit.sealKey"');
  });

  it('says the same of those that it has replaced', async () => {
    running.write('old.key', newSealKeyText());
    const audit = 'audit: { sealKey: { file: seal.key }, formerSealKeys: [{ file: old.key }] }';
    running.write('hoopd.yaml', running.config().replace(/^audit: .*$/m, audit));
    expect(await reload()).toBe(true);
    expect(lines.join()).toContain('"keys":"audit"');
  });
});

describe('watching files', () => {
  it('sees policies, secrets and the file itself change, and nothing else', async () => {
    const { next: loaded, known } = settledConfig(() => running.load(), undefined);
    if (!loaded.ok) throw new Error('the configuration is not valid');
    let changes = 0;
    const watched = watchConfig(loaded, known, log, () => void changes++);
    running.write('policies/more.cedar', '// new');
    await expect.poll(() => changes, { timeout: 5000 }).toBe(1);
    running.write('password', 'rotated');
    await expect.poll(() => changes, { timeout: 5000 }).toBe(2);
    running.write('unrelated.txt', 'x');
    running.write('policies/more.cedar', '// new');
    await timePasses(600, 'a change that nothing is made of is not noticed late either');
    expect(changes).toBe(2);
    rmSync(join(running.dir, 'policies/more.cedar'));
    await expect.poll(() => changes, { timeout: 5000 }).toBe(3);
    watched.close();
  });

  /** What became of files that were written `when`: the policies of each reload, in order. */
  async function followed(when: { read?: string; started?: string; reloading?: string }): Promise<string[]> {
    const file = join(running.dir, 'hoopd.yaml');
    const late = (text: string | undefined) => {
      if (text !== undefined) running.write('policies/more.cedar', text);
    };
    running.write('policies/more.cedar', '// first');
    const { next: loaded, known } = readConfig(file);
    if (!loaded.ok) throw new Error('the configuration is not valid');
    late(when.read);
    const seen: string[] = [];
    const gateway = {
      reload: async (next: Loaded) => {
        seen.push(readFileSync(join(running.dir, 'policies/more.cedar'), 'utf8'));
        if (seen.length === 1) late(when.reloading);
        await timePasses(50, 'putting it in force takes a while');
        return next.ok;
      },
    } as unknown as Gateway;
    const follows = followConfig(file, loaded, known, gateway, log);
    late(when.started);
    await timePasses(1500, 'a reload settles for 300 ms');
    follows.close();
    return seen;
  }

  it.each([
    ['since they were read', { read: '// second' }, ['// second']],
    ['once they are followed', { started: '// second' }, ['// second']],
    [
      'while a change is put in force',
      { started: '// second', reloading: '// third' },
      ['// second', '// third'],
    ],
    ['never', {}, []],
  ])('takes up what was written %s, and each once', async (_, when, expected) => {
    expect(await followed(when)).toEqual(expected);
  });

  it('takes nothing for known that was written while it was read', () => {
    running.write('policies/more.cedar', '// before');
    const { next } = settledConfig(() => running.load(), undefined);
    if (!next.ok) throw new Error('the configuration is not valid');
    const { known } = settledConfig(() => {
      const read = running.load();
      running.write('policies/more.cedar', '// behind the reader');
      return read;
    }, next);
    expect(settledConfig(() => running.load(), next).known).not.toBe(known);
  });
});
