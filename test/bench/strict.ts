import { closeSync, fdatasyncSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { ALLOW_ALL, startStack } from '../support/stack.ts';
import { median } from './processes.ts';
import { p50Us } from './reader.ts';

const SYNCS = 200;
const LINE = Buffer.alloc(400, 'x');

/** Median time of an append and its fdatasync in a directory, µs. */
function fdatasyncUs(directory: string): number {
  const path = join(directory, 'fdatasync-probe');
  const fd = openSync(path, 'ax', 0o600);
  const times = Array.from({ length: SYNCS }, () => {
    writeSync(fd, LINE);
    const startedAt = process.hrtime.bigint();
    fdatasyncSync(fd);
    return Number(process.hrtime.bigint() - startedAt) / 1000;
  });
  closeSync(fd);
  rmSync(path);
  return median(times);
}

export interface StrictRound {
  /** p50 of `SELECT 1` through hoopctl and hoopd with `durability: strict`, less that of the server itself. */
  readonly addedUs: number;
  /** Of the disk that holds the chain, in the same round. */
  readonly fdatasyncUs: number;
}

/** What an audit that survives a power cut adds to a statement. A stack of its own. */
export async function strictRounds(rounds: number, statements: number): Promise<StrictRound[]> {
  const stack = await startStack({ policy: ALLOW_ALL, targetTls: 'disable', durability: 'strict' });
  const tunnel = await stack.tunnel();
  const direct = {
    host: '127.0.0.1',
    port: stack.postgres.port,
    user: 'hoop',
    password: readFileSync(join(stack.directory, 'pg.password'), 'utf8'),
    database: 'shop',
  };
  try {
    await p50Us(tunnel, statements);
    const measured: StrictRound[] = [];
    for (let i = 0; i < rounds; i++) {
      const sync = fdatasyncUs(stack.directory);
      const added = (await p50Us(tunnel, statements)) - (await p50Us(direct, statements));
      measured.push({ addedUs: added, fdatasyncUs: sync });
    }
    return measured;
  } finally {
    await tunnel.close();
    await stack.stop();
  }
}
