/**
 * A scripted agent that has only psql, or only curl, or only ssh: it does five tasks by each, and from each kind of refusal it takes
 * the step that the refusal names, or reports and stops where there is none.
 */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { curl, type Program, psql, ssh, type Told } from '../../support/agent/programs.ts';
import { type People, type Report, ScriptedAgent } from '../../support/agent/scripted-agent.ts';
import { ProgramsWorld, wayIn } from '../../support/agent/world.ts';
import type { Tunnel } from '../../support/stack.ts';

let world: ProgramsWorld;
let otto: Record<string, string>;
let pg: Tunnel;
let api: Tunnel;
let host: Tunnel;

beforeAll(async () => {
  world = await ProgramsWorld.start();
  otto = await world.stack.person('otto');
  pg = await world.stack.tunnel();
  api = await world.stack.tunnelTo('api');
  host = await world.stack.tunnelTo('host');
});

afterAll(async () => {
  for (const tunnel of [pg, api, host]) await tunnel?.close();
  await world?.stop();
});

/** A real approver, who says yes or no to what is asked. */
const decides = (how: 'approve' | 'deny'): People => ({
  async asked({ approval = '' }) {
    const words = how === 'deny' ? ['--reason', 'not today'] : ['--yes'];
    const { exitCode, stderr } = await world.stack.hoopctl(['approval', how, approval, ...words], otto);
    if (exitCode !== 0) throw new Error(stderr);
  },
});

const agentOf = (program: Program, tunnel: Tunnel, people: People = decides('approve')) =>
  new ScriptedAgent(program, wayIn(tunnel), people);

const outputOf = (report: Report): string =>
  report.done ? report.output.trim() : JSON.stringify(report.told);
const met = ({ refusals }: ScriptedAgent) => [
  ...new Set(refusals.map(({ rule, next }) => `${rule}: ${next}`)),
];
const stopped = (report: Report): Pick<Told, 'rule' | 'next'> => {
  if (report.done) throw new Error(`it was done: ${report.output}`);
  return { rule: report.told.rule, next: report.told.next };
};

describe('psql alone', () => {
  it('does five tasks', async () => {
    const agent = agentOf(psql, pg);
    // 1. Who is customer 1? With a word too many at first.
    const name = await agent.work(
      ['SELECT name FROM customers customers WHERE WHERE id = 1'],
      ['SELECT name FROM customers WHERE id = 1'],
    );
    expect(outputOf(name)).toBe('Ann');
    // 2. How many days are there, one after the other?
    const days = (size: number) =>
      Array.from({ length: Math.ceil(250 / size) }, (_, at) => [
        `SELECT id FROM days WHERE id > ${at * size} AND id <= ${(at + 1) * size}`,
      ]);
    const seen = await agent.work({ from: 250, inPieces: days });
    expect(outputOf(seen).split('\n')).toHaveLength(250);
    // 3. Both orders are paid: too many at once.
    const ids = [1, 2];
    const paid = (size: number) =>
      Array.from({ length: Math.ceil(ids.length / size) }, (_, at) => [
        `UPDATE orders SET status = 'paid' WHERE id IN (${ids.slice(at * size, (at + 1) * size)})`,
      ]);
    expect(outputOf(await agent.work({ from: 2, inPieces: paid }))).toBe('UPDATE 1\nUPDATE 1');
    expect(await world.stack.postgres.psql("SELECT count(*) FROM orders WHERE status = 'paid'")).toBe('2');
    // 4. A table for the report, made and used in one transaction: people must agree.
    const made = await agent.work(['BEGIN', 'CREATE TABLE report (id int)', 'COMMIT']);
    expect(outputOf(made)).toContain('COMMIT');
    expect(await world.stack.postgres.psql("SELECT to_regclass('report') IS NOT NULL")).toBe('t');
    // 5. How many orders has the customer with this address? It may not be compared with.
    const joined = 'SELECT count(*) FROM orders o JOIN customers c ON c.id = o.customer_id WHERE c.';
    const counted = await agent.work(
      [`${joined}email = 'ann@example.com'`],
      [`${joined}email LIKE 'ann@%'`],
      [`${joined}name = 'Ann'`],
    );
    expect(outputOf(counted)).toBe('1');
    expect(met(agent)).toEqual([
      'syntax-error: correct',
      'in-parts: less',
      'write: less',
      'shapes: ask',
      'masked-column-flow: leave-out',
    ]);
    expect(agent.printed).not.toContain('123-45-6789');
  });

  it('takes the other way that a rule names', async () => {
    const agent = agentOf(psql, pg);
    const gone = await agent.work(
      ['DELETE FROM notes WHERE id = 1'],
      ['TRUNCATE notes'],
      ['UPDATE notes SET archived = true WHERE id = 1'],
    );
    expect([outputOf(gone), met(agent)]).toEqual(['UPDATE 1', ['notes-are-kept: instead']]);
  });

  it.each<[string, string, string]>([
    ['what no rule permits', 'SELECT purge()', 'default-deny: report'],
    [
      'a function that could read what is masked',
      'SELECT lower2(name) FROM customers',
      'default-deny: report',
    ],
    ['what cannot be read', `SELECT ${'('.repeat(40_000)}1${')'.repeat(40_000)}`, 'unanalysable: less'],
    ['a setting', "SET search_path = 'other'", 'unsafe-setting: leave-out'],
    ['a whole row', 'SELECT c::text FROM customers c', 'masked-column-flow: leave-out'],
    ['a name that is not there', 'EXECUTE nothing', 'unknown-statement: correct'],
    [
      'a mask that is written',
      "UPDATE customers SET email = '***' WHERE id = 1",
      'mask-written-back: leave-out',
    ],
  ])('reports and stops at %s, with no other way', async (_what, sql, expected) => {
    const agent = agentOf(psql, pg);
    const { rule, next } = stopped(await agent.work([sql]));
    expect(`${rule}: ${next}`).toBe(expected);
    expect(agent.refusals).toHaveLength(1);
  });

  it('may only read: it reports', async () => {
    const tunnel = await world.stack.tunnel(['--read-only']);
    const agent = agentOf(psql, tunnel);
    const report = await agent.work(["UPDATE orders SET status = 'x' WHERE id = 1"]);
    expect(stopped(report)).toEqual({ rule: 'attenuated', next: 'report' });
    await tunnel.close();
  });

  it('hears a no, and does not ask again', async () => {
    const agent = agentOf(psql, pg, decides('deny'));
    expect(stopped(await agent.work(['CREATE TABLE other (id int)']))).toEqual({
      rule: 'shapes',
      next: 'instead',
    });
    expect(agent.refusals.at(-1)?.reason).toBe('not today');
  });

  it('waits for a target that is away', async () => {
    const tunnel = await world.stack.tunnelTo('pg-away');
    const agent: ScriptedAgent = agentOf(psql, tunnel);
    const work = agent.work(['SELECT 1']);
    await expect.poll(() => agent.refusals.length, { timeout: 20_000 }).toBeGreaterThan(0);
    await world.comesBack();
    expect(outputOf(await work)).toBe('1');
    expect(met(agent)).toEqual(['ERR_TARGET_UNREACHABLE: again']);
    await tunnel.close();
  });

  it('asks for a login when its own is over', async () => {
    const iat = Math.floor(Date.now() / 1000) - 3_588;
    const env = {
      HOOPCTL_TOKEN: world.stack.issuer.mint({ sub: 'job', repository: 'org/shop', iat, exp: iat + 3_700 }),
    };
    const tunnel = await world.stack.tunnel([], env);
    let renewed: Tunnel | undefined;
    const people: People = {
      async login() {
        renewed = await world.stack.tunnel();
        return wayIn(renewed);
      },
    };
    const file = join(world.stack.directory, 'not-yet');
    writeFileSync(file, '');
    const agent = agentOf(psql, tunnel, people);
    // Its session is open when the login ends.
    const work = agent.work(['SELECT 1', `\\! while [ -e '${file}' ]; do sleep 0.1; done`, 'SELECT 2']);
    await tunnel.running.finished;
    rmSync(file);
    expect(outputOf(await work)).toBe('1\n2');
    expect(met(agent)).toEqual(['ERR_LOGIN_EXPIRED: login']);
    await tunnel.close();
    await renewed?.close();
  });
});

describe('curl alone', () => {
  const at = (path: string) => `http://127.0.0.1:${api.port}${path}`;
  const agentWith = (people?: People) => {
    const shown = ['-u', `hoop:${api.token}`];
    const agent = agentOf(curl, api, people);
    const work = (...ways: (readonly string[])[]) =>
      agent.work(
        ...ways.map((way) => [...shown, ...way.map((word) => (word.startsWith('/') ? at(word) : word))]),
      );
    return { agent, work };
  };

  it('does five tasks', async () => {
    const { agent, work } = agentWith();
    expect(outputOf(await work(['/orders/42']))).toBe('{"id":42}\n200 application/json');
    expect(outputOf(await work(['/orders']))).toContain('{"id":41}');
    expect(outputOf(await work(['-X', 'POST', '/orders']))).toContain('201');
    expect(outputOf(await work(['-X', 'POST', '-H', 'Prefer: respond-async', '/refunds']))).toContain('201');
    const gone = await work(
      ['-X', 'DELETE', '/orders/42'],
      ['-X', 'POST', '/orders'],
      ['-X', 'POST', '/orders/42/cancel'],
    );
    expect(outputOf(gone)).toContain('done');
    expect(world.heard.filter((one) => !one.startsWith('GET'))).toEqual([
      'POST /orders',
      'POST /refunds',
      'POST /orders/42/cancel',
    ]);
    expect(met(agent)).toEqual(['refunds: ask', 'orders-are-kept: instead']);
  });

  it.each<[string, readonly string[], string]>([
    [
      'what no rule permits, with what rules permit instead',
      ['-X', 'PUT', '/orders/42'],
      'default-deny: instead',
    ],
    [
      'a path that servers read in two ways',
      ['--path-as-is', '/orders/../refunds'],
      'path-ambiguous: correct',
    ],
    ['a method in small letters', ['-X', 'get', '/orders'], 'method: correct'],
    ['a body where there is none', ['-X', 'GET', '-d', 'x', '/orders'], 'body-not-expected: correct'],
  ])('reports and stops at %s, with no other way', async (_what, way, expected) => {
    const { agent, work } = agentWith();
    const { rule, next } = stopped(await work(way));
    expect([`${rule}: ${next}`, agent.refusals.length]).toEqual([expected, 1]);
  });

  it('hears a no, and goes no other way that is not named', async () => {
    const { work } = agentWith(decides('deny'));
    const report = await work(['-X', 'POST', '/refunds', '-d', '{}'], ['-X', 'POST', '/orders']);
    expect(stopped(report)).toEqual({ rule: 'refunds', next: 'instead' });
  });
});

describe('ssh alone', () => {
  it('does five tasks', async () => {
    const agent = agentOf(ssh, host);
    expect(outputOf(await agent.work(['ssh', 'host', 'echo', 'up']))).toBe('up');
    const status = await agent.work(
      ['ssh', 'host', 'restart-shop'],
      ['ssh', 'host', 'echo', 'restarted'],
      ['ssh', 'host', 'echo', 'its', 'status'],
    );
    expect(outputOf(status)).toBe('its status');
    expect(outputOf(await agent.work(['ssh', 'host', 'hostname']))).not.toBe('');
    const shell = await agent.work(['ssh', '-T', 'host'], ['ssh', 'host', 'uptime']);
    expect(outputOf(shell)).toContain('load average');
    expect(outputOf(await agent.work(['sftp', '-b', '/dev/null', 'host']))).toBe('');
    expect(met(agent)).toEqual(['the-shop-stays-up: instead', 'ask: ask', 'no-shell: instead']);
  });

  it('may only read: it reports', async () => {
    const tunnel = await world.stack.tunnelTo('host', ['--read-only']);
    const agent = agentOf(ssh, tunnel);
    expect(stopped(await agent.work(['ssh', 'host', 'true']))).toEqual({
      rule: 'attenuated',
      next: 'report',
    });
    await tunnel.close();
  });

  it('hears a no', async () => {
    const agent = agentOf(ssh, host, decides('deny'));
    expect(stopped(await agent.work(['ssh', 'host', 'hostname', '-f']))).toEqual({
      rule: 'ask',
      next: 'instead',
    });
  });
});
