import type { TLSSocket } from 'node:tls';
import pg from 'pg';
import type { ApprovalDesk } from '../../src/approval/desk.ts';
import type { Principal } from '../../src/identity/principal.ts';
import { startPostgres } from '../support/postgres/server.ts';
import { type Caller, RunningGateway } from '../support/running-gateway.ts';
import { eventually } from '../support/waiting.ts';
import { median } from './processes.ts';

const SQL = `CREATE ROLE hoop LOGIN PASSWORD 'hunter2'; CREATE TABLE notes (id int); GRANT ALL ON notes TO hoop;`;
const POLICY = `
@id("all") permit (principal, action, resource);
@id("ask") @approval("dba") forbid (principal, action == Action::"sql.insert", resource)
unless { context.approvals.contains("dba") };`;

export interface HeldFigures {
  /** From a person's yes to the client's answer, ms. */
  readonly yesToAnswerMs: readonly number[];
  /** p50 of others' `SELECT 1` while statements are held, against none; one per round. */
  readonly others: readonly number[];
  /** How many were held at once. */
  readonly held: number;
}

/**
 * What approvals cost: the one who waited, and all others.
 *
 * Clients and gateway share this process, so that the figures are above what clients elsewhere see.
 */
export async function heldFigures(options: {
  readonly held: number;
  readonly rounds: number;
}): Promise<HeldFigures> {
  const postgres = await startPostgres({
    database: 'shop',
    sql: SQL,
    hba: ['host all hoop 127.0.0.1/32 scram-sha-256'],
    settings: { max_connections: String(options.held + 50) },
  });
  const running = await RunningGateway.start({
    policy: POLICY,
    adapter: null,
    more: 'approvals: { wait: 1h }\nlimits: { sessionsPerInstance: 1000 }',
    resources: `
  it: { protocol: postgres, target: { host: 127.0.0.1, port: ${postgres.port}, database: shop, tls: disable }, credentials: { user: hoop, password: { file: password } } }`,
  });
  try {
    const agent = await running.person(['developers'], { agent: 'copilot' });
    const bench = new HeldBench(agent, running.gateway.approvals);
    const yesToAnswerMs = await bench.yesToAnswer(20 * options.rounds);
    const others = await bench.others(options.held, options.rounds);
    await bench.close();
    return { yesToAnswerMs, others, held: options.held };
  } finally {
    await running.remove();
    await postgres.stop();
  }
}

class HeldBench {
  readonly #agent: Caller;
  readonly #desk: ApprovalDesk;
  readonly #clients: pg.Client[] = [];
  #next = 0;

  constructor(agent: Caller, desk: ApprovalDesk) {
    this.#agent = agent;
    this.#desk = desk;
  }

  async yesToAnswer(times: number): Promise<number[]> {
    const client = await this.#client();
    const measured: number[] = [];
    for (let i = 0; i < times; i++) {
      const answer = this.#hold(client);
      const [asked] = await this.#pending(1);
      const startedAt = performance.now();
      await this.#desk.approve(asked!, APPROVER, ['dba']);
      await answer;
      measured.push(performance.now() - startedAt);
    }
    return measured.slice(times / 4);
  }

  /** Without and with, and back again, so that a drift of the machine falls on both. */
  async others(held: number, rounds: number): Promise<number[]> {
    const other = await this.#client();
    const holding: pg.Client[] = [];
    while (holding.length < held) holding.push(await this.#client());
    await p50Ms(other);
    const ratios: number[] = [];
    for (let i = 0; i < rounds; i++) {
      const without = await p50Ms(other);
      const refused = holding.map((client) => this.#hold(client).catch(() => undefined));
      const asked = await this.#pending(held);
      const during = await p50Ms(other);
      await Promise.all(asked.map((id) => this.#desk.deny(id, APPROVER, undefined)));
      await Promise.all(refused);
      ratios.push((2 * during) / (without + (await p50Ms(other))));
    }
    return ratios;
  }

  async close(): Promise<void> {
    for (const client of this.#clients) await client.end();
  }

  #hold(client: pg.Client): Promise<unknown> {
    return client.query('INSERT INTO notes VALUES ($1)', [this.#next++]);
  }

  #pending(count: number): Promise<string[]> {
    return eventually(
      'requests that are pending',
      () => {
        const asked = this.#desk.list().filter(({ state }) => state === 'pending');
        return asked.map(({ id }) => id);
      },
      (ids) => ids.length >= count,
    );
  }

  async #client(): Promise<pg.Client> {
    const { socket } = await this.#agent.tunnel('it');
    const stream = Object.assign(socket as TLSSocket, {
      connect: () => setImmediate(() => socket.emit('connect')),
    });
    const client = new pg.Client({ stream: () => stream, user: 'hoop', database: 'shop', ssl: false });
    this.#clients.push(client);
    client.on('error', () => undefined);
    await client.connect();
    return client;
  }
}

async function p50Ms(client: pg.Client): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < 2000; i++) {
    const startedAt = performance.now();
    await client.query('SELECT 1');
    times.push(performance.now() - startedAt);
  }
  return median(times);
}

/** Policy is asked by the API, which is not measured here. */
const APPROVER = { issuer: 'https://people.test', subject: 'dba', name: 'dba' } as Principal;
