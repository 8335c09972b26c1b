import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { pgEnv, type Tunnel } from '../support/stack.ts';

const PSQL = '/usr/lib/postgresql/15/bin/psql';
const LINE = `1234567890\t${'x'.repeat(1012)}\n`;
const BLOCK = Buffer.from(LINE.repeat(256));

/** Feeds psql's COPY FROM STDIN at the speed at which it is taken. @returns Rows copied. */
export async function copyIn(tunnel: Tunnel, table: string, octets: number): Promise<number> {
  const env = pgEnv(tunnel);
  const psql = spawn(PSQL, ['-XAtw', '-c', `copy ${table} from stdin`], {
    env,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let said = '';
  psql.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const ended = once(psql, 'close');
  for (let sent = 0; sent < octets; sent += BLOCK.length) {
    if (!psql.stdin.write(BLOCK)) await once(psql.stdin, 'drain');
  }
  psql.stdin.end();
  await ended;
  const rows = Number(/^COPY (\d+)$/m.exec(said)?.[1]);
  if (!(rows * LINE.length >= octets)) throw new Error(`psql said: ${said}`);
  return rows;
}
