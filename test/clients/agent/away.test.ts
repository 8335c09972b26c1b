/**
 * Refusals that come and go: something is away, is taken back or has ended while an agent works. Each happens twice, and the first
 * time to an agent that is not told the step: it gives up, and nothing is done.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { KindsWorld, POLICY } from '../../support/agent/kinds-world.ts';
import { curl, deaf, type Program, psql } from '../../support/agent/programs.ts';
import { type People, type Report, ScriptedAgent } from '../../support/agent/scripted-agent.ts';
import { ALLOW_ALL, type Tunnel } from '../../support/stack.ts';
import { eventually, timePasses } from '../../support/waiting.ts';

let world: KindsWorld;
let otto: Record<string, string>;
/** Of this test alone: what befalls it befalls no other. */
const tunnels: Tunnel[] = [];

beforeAll(async () => {
  world = await KindsWorld.start();
  otto = await world.stack.person('otto');
});

afterAll(() => world?.stop());

beforeEach(() => world.stack.postgres.psql('TRUNCATE done, asked'));

afterEach(async () => {
  for (const tunnel of tunnels.splice(0)) await tunnel.close();
});

async function tunnelTo(resource: string): Promise<Tunnel> {
  const tunnel = await world.stack.tunnelTo(resource);
  tunnels.push(tunnel);
  return tunnel;
}

const file = (name: string) => join(world.directory, name);
const DONE = "INSERT INTO done VALUES ('it')";
const done = () => world.stack.postgres.psql('SELECT count(*) FROM done');

/** A psql in the middle of its session, which goes on when the gate is opened. */
const gate = (name = 'gate') =>
  `\\! touch ${file(`${name}.reached`)}; while [ -e ${file(name)} ]; do sleep 0.05; done`;
const shut = (name = 'gate') => {
  rmSync(file(`${name}.reached`), { force: true });
  writeFileSync(file(name), '');
};
const open = (name = 'gate') => rmSync(file(name), { force: true });
const reached = (name = 'gate') =>
  eventually(`the agent reaches the ${name}`, () => existsSync(file(`${name}.reached`)), Boolean);

interface Trouble {
  readonly at?: string;
  readonly way: readonly string[];
  /** Once the agent is at the gate; or before it begins, where it has none. */
  readonly begins: (tunnel: Tunnel) => Promise<unknown> | unknown;
  /** Once it was refused. */
  readonly ends?: () => Promise<unknown> | unknown;
}

/** @returns What the agent that is told came to, and by what. */
async function through(program: Program, { at = 'pg', way, begins, ends }: Trouble, people: People = {}) {
  const tunnel = await tunnelTo(at);
  const agent = new ScriptedAgent(program, world.env(tunnel), people);
  const waits = way.includes(gate());
  if (waits) shut();
  else await begins(tunnel);
  const work = agent.work(way);
  const settled = work.then(
    (report): Report | Error => report,
    (error: Error) => error,
  );
  if (waits) {
    await reached();
    await begins(tunnel);
    open();
  }
  if (ends !== undefined) {
    await Promise.race([settled, eventually('it is refused', () => agent.refusals.length > 0)]);
    await ends();
  }
  const report = await settled;
  return { report, met: [...new Set(agent.refusals.map(({ rule, next }) => `${rule}: ${next}`))] };
}

/** Twice: an agent that is not told the step gives up with nothing done; the other one comes to its end. */
async function comesThrough(trouble: Trouble): Promise<readonly string[]> {
  const lost = await through(deaf(psql), trouble);
  expect(lost.report).toMatchObject({ message: expect.stringContaining('that is no refusal') });
  expect([await done(), lost.met]).toEqual(['0', []]);
  const { report, met } = await through(psql, trouble);
  expect(report).toMatchObject({ done: true });
  expect(await done()).toBe('1');
  return met;
}

const limit = (octets: string) =>
  execFileSync('prlimit', ['--pid', String(world.stack.hoopd.child.pid), `--fsize=${octets}:unlimited`]);

const sessions = async (): Promise<{ id: string; instance: string }[]> => {
  const { stdout } = await world.stack.hoopctl(['session', 'list', '--live', '--json'], otto);
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { id: string; instance: string });
};

describe('psql alone', () => {
  it('waits for an audit log that cannot be written', async () => {
    const met = await comesThrough({
      way: ['SELECT 1', gate(), DONE],
      begins: () => limit('0'),
      ends: () => limit('unlimited'),
    });
    expect(met[0]).toBe('ERR_AUDIT_UNAVAILABLE: again');
  });

  it('connects anew when its recording has a hole', async () => {
    const met = await comesThrough({
      way: ['SELECT 1', gate(), DONE],
      async begins() {
        limit('0');
        const refused = await world.stack.psql('SELECT 1');
        expect(refused.exitCode).not.toBe(0);
        limit('unlimited');
        // Of others, so that the audit is written again.
        await expect
          .poll(() => world.stack.psql('SELECT 1'), { timeout: 20_000 })
          .toMatchObject({ exitCode: 0 });
      },
    });
    expect(met).toEqual(['recording-unavailable: reconnect']);
  });

  it('connects anew when somebody ended its session', async () => {
    const met = await comesThrough({
      way: ['SELECT 1', gate(), DONE],
      async begins() {
        for (const { id } of await sessions()) await world.stack.hoopctl(['session', 'kill', id], otto);
      },
    });
    expect(met).toEqual(['ERR_SESSION_ENDED: reconnect']);
  });

  it('is told that somebody ended all of it, and reports', async () => {
    const trouble: Trouble = {
      way: ['SELECT 1', gate(), DONE],
      async begins() {
        for (const { instance } of await sessions())
          await world.stack.hoopctl(['session', 'kill', '--instance', instance], otto);
      },
    };
    const { report } = await through(psql, trouble);
    expect(report).toMatchObject({ done: false, told: { rule: 'ERR_REVOKED', next: 'report' } });
    expect(await done()).toBe('0');
    // Nothing else stood in its way.
    const undisturbed = await through(psql, { ...trouble, begins: () => undefined });
    expect(undisturbed.report).toMatchObject({ done: true });
  });

  it('waits while what the database has is not known: catalog-unavailable', async () => {
    const met = await comesThrough({
      way: ['SELECT 1', gate(), DONE],
      async begins() {
        await world.stack.postgres.psql(`ALTER ROLE hoop CONNECTION LIMIT 0;
          SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'hoopd catalog'`);
        await timePasses(2_500, 'what is known of the catalog holds for two seconds');
      },
      ends: () => world.stack.postgres.psql('ALTER ROLE hoop CONNECTION LIMIT -1'),
    });
    expect(met[0]).toBe('catalog-unavailable: again');
  });

  it('connects anew when nobody reads its session any more: unread-session', async () => {
    await world.stack.reload(ALLOW_ALL);
    const met = await comesThrough({
      at: 'pg-open',
      way: [gate('second'), 'SET standard_conforming_strings = off', gate(), DONE],
      async begins() {
        shut('second');
        await world.stack.reload(
          `${ALLOW_ALL} @id("no-do") forbid (principal, action == Action::"sql.do", resource);`,
        );
      },
      async ends() {
        await world.stack.reload(ALLOW_ALL);
        open('second');
      },
    });
    expect(met).toEqual(['unread-session: reconnect']);
    await world.stack.reload(POLICY);
  });

  it('connects anew when the target lets it go', async () => {
    const met = await comesThrough({
      at: 'pg-far',
      way: ['SELECT 1', gate(), DONE],
      begins: () => world.relay.cut(),
    });
    expect(met).toEqual(['ERR_TARGET_LOST: reconnect']);
  });

  it('connects anew when the administrator of the target ended its session', async () => {
    const met = await comesThrough({
      way: ['SELECT 1', gate(), DONE],
      begins: () =>
        world.stack.postgres.psql(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
          WHERE usename = 'hoop' AND application_name = 'psql'`),
    });
    expect(met).toEqual(['ERR_TARGET_LOST: reconnect']);
  });

  it('waits for a credential that the target takes', async () => {
    const met = await comesThrough({
      at: 'pg-other',
      way: [DONE],
      begins: () => world.stack.postgres.psql("ALTER ROLE other PASSWORD 'second'"),
      ends: () => world.stack.postgres.psql("ALTER ROLE other PASSWORD 'first'"),
    });
    expect(met).toEqual(['ERR_TARGET_AUTH: again']);
  });

  it('waits for a credential that is not there', async () => {
    const met = await comesThrough({
      at: 'pg-other',
      way: [DONE],
      begins: () => renameSync(file('login.json'), file('away.json')),
      ends: () => renameSync(file('away.json'), file('login.json')),
    });
    expect(met).toEqual(['ERR_TARGET_CREDENTIAL: again']);
  });

  it('reports that its password is not that of the tunnel', async () => {
    const tunnel = await tunnelTo('pg');
    const wrong = new ScriptedAgent(psql, { ...world.env(tunnel), PGPASSWORD: 'wrong' });
    expect(await wrong.work([DONE])).toMatchObject({
      done: false,
      told: { rule: 'ERR_LOCAL_AUTH', next: 'report' },
    });
    expect(await done()).toBe('0');
    expect(await new ScriptedAgent(psql, world.env(tunnel)).work([DONE])).toMatchObject({ done: true });
  });

  it('asks anew when its request is taken back', async () => {
    const asked: string[] = [];
    const people: People = {
      async asked({ approval = '' }) {
        asked.push(approval);
        const [how, env] = asked.length === 1 ? (['cancel', {}] as const) : (['approve', otto] as const);
        const words = how === 'approve' ? ['--yes'] : [];
        const { exitCode, stderr } = await world.stack.hoopctl(['approval', how, approval, ...words], env);
        if (exitCode !== 0) throw new Error(stderr);
      },
    };
    const { report, met } = await through(
      psql,
      { way: ["INSERT INTO asked VALUES ('it')"], begins: () => undefined },
      people,
    );
    expect(report).toMatchObject({ done: true });
    expect(met).toEqual(['asked: ask']);
    expect(new Set(asked).size).toBe(2);
    expect(await world.stack.postgres.psql('SELECT count(*) FROM asked')).toBe('1');
  });
});

it('curl alone opens a new session where its own is not known: rpc-session', async () => {
  const tunnel = await world.tunnel('api');
  const say = (method: string, ...more: string[]) =>
    world.words(
      [
        ...more,
        '-H',
        'Content-Type: application/json',
        '-d',
        `{"jsonrpc":"2.0","id":1,"method":"${method}"}`,
        '/mcp',
      ],
      tunnel,
    );
  /** The session stands in its environment, as in the state of a client of MCP. */
  const speaking: Program = {
    run: (args, env) => curl.run([...args, '-H', `Mcp-Session-Id: ${env['MCP_SESSION']}`], env),
    told: (ended) => curl.told(ended),
  };
  const people: People = {
    async reconnect() {
      const { stdout } = await curl.run(say('initialize', '-i'), {});
      const [, id = ''] = /^mcp-session-id: (.*?)\r?$/im.exec(stdout) ?? [];
      return { MCP_SESSION: id };
    },
  };
  const env = { MCP_SESSION: 'of-yesterday' };
  await expect(new ScriptedAgent(deaf(speaking), env, people).work(say('ping'))).rejects.toThrow(
    /no refusal/,
  );
  const agent = new ScriptedAgent(speaking, env, people);
  expect(await agent.work(say('ping'))).toMatchObject({
    done: true,
    output: expect.stringContaining('"result"'),
  });
  expect(agent.refusals).toMatchObject([{ rule: 'rpc-session', next: 'reconnect' }]);
});
