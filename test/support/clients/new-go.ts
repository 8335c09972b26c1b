import { execFileSync } from 'node:child_process';

/** Its minor version: what Helm and the client of Go are written for. */
const LEAST = 24;

/**
 * A compiler of Go that is new enough: the one that `HOOP_TEST_GO` names, else the machine's own.
 *
 * @throws {Error} There is none.
 */
export function newGo(): string {
  const { HOOP_TEST_GO: named, PATH = '' } = process.env;
  const own = [...PATH.split(':'), '/usr/local/go/bin'].map((folder) => `${folder}/go`);
  const found = (named === undefined ? own : [named]).find((go) => minorOf(go) >= LEAST);
  if (found === undefined) throw new Error(`this needs Go 1.${LEAST} or newer: set HOOP_TEST_GO to one`);
  return found;
}

function minorOf(go: string): number {
  try {
    const env = { ...process.env, GOTOOLCHAIN: 'local' };
    const stdio = ['ignore', 'pipe', 'ignore'] as const;
    const version = execFileSync(go, ['env', 'GOVERSION'], { env, encoding: 'utf8', stdio: [...stdio] });
    return Number(/^go1\.(\d+)/.exec(version)?.[1] ?? 0);
  } catch {
    return 0;
  }
}
