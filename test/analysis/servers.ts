import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { locatePostgres } from '../../src/demo/postgres-home.ts';
import { type PostgresServer, startPostgres } from '../support/postgres/server.ts';
import { eventually } from '../support/waiting.ts';
import { Session, type SessionOptions } from './session.ts';

/** Versions that are compared: Debian's, and the one that npm brings. */
export const MAJORS = [15, 18] as const;
export type Major = (typeof MAJORS)[number];

const SETTINGS = {
  // Each tree would be written to the server's own log too.
  log_min_messages: 'panic',
  max_prepared_transactions: '2',
  max_stack_depth: '4MB',
};

export interface Server {
  readonly major: Major;
  readonly postgres: PostgresServer;
  /** As the administrator unless told otherwise. */
  open(to?: {
    readonly user?: string;
    readonly database?: string;
    readonly options?: string;
  }): Promise<Session>;
  /** Makes an empty database. */
  make(database: string): Promise<void>;
  stop(): Promise<void>;
}

/** @param bin Folder of other binaries of that version. */
export async function startServer(major: Major, bin?: string): Promise<Server> {
  const directory = mkdtempSync(join(tmpdir(), 'hoop-analysis-'));
  chmodSync(directory, 0o755);
  const folder = bin ?? (await binaries(major, directory));
  const postgres = await startPostgres({ bin: folder, settings: SETTINGS });
  const to = { socket: dirname(postgres.logFile), port: postgres.port, user: postgres.admin.user };
  const open: Server['open'] = (options) => openRestarted({ ...to, database: 'postgres', ...options });
  return {
    major,
    postgres,
    open,
    stop: async () => {
      await postgres.stop();
      rmSync(directory, { recursive: true });
    },
    make: async (database) => {
      const session = await open();
      const { error } = await session.run(`CREATE DATABASE "${database}" TEMPLATE template0`);
      session.close();
      if (error !== undefined) throw new Error(error);
    },
  };
}

/** A statement of a newer release's suite may end a server that has the mistake still that it looks for. */
function openRestarted(to: SessionOptions): Promise<Session> {
  const open = () =>
    Session.open(to).catch((error: Error) => {
      if (/recovery mode|starting up|not yet accepting/.test(error.message)) return undefined;
      throw error;
    });
  return eventually('the server is up again', open, (session) => session !== undefined, {
    withinMs: 60_000,
  }) as Promise<Session>;
}

/** Binaries that PostgreSQL's user cannot reach are copied below the directory. */
async function binaries(major: Major, directory: string): Promise<string> {
  if (major === 15) return '/usr/lib/postgresql/15/bin';
  return dirname((await locatePostgres(directory)).postgres);
}
