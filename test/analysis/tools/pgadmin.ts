import { execFileSync } from 'node:child_process';
import { judgeTexts, schemaOfCases } from '../cases/run.ts';
import { pythonPackages } from '../packages.ts';
import type { Server } from '../servers.ts';
import type { Tally } from '../tally.ts';

const FILLED_IN = new URL('pgadmin.py', import.meta.url).pathname;
const PACKAGES = ['pgadmin4==9.18', 'jinja2==3.1.6', 'markupsafe==3.0.4'];

/**
 * What pgAdmin asks of a server: its templates for each release, filled in. What is for another release, or makes no sense
 * as it is filled in, the server refuses.
 *
 * @throws {Error} pgAdmin cannot be had here.
 */
export async function pgadmin(server: Server): Promise<Tally> {
  return judgeTexts(server, 'pgadmin', schemaOfCases(), textsOfPgadmin());
}

/** By their names. */
export function textsOfPgadmin(): ReadonlyMap<string, string> {
  const args = [FILLED_IN, pythonPackages('pgadmin', ['--no-deps', ...PACKAGES])];
  const printed = execFileSync('python3', args, { encoding: 'utf8', maxBuffer: 1 << 26 });
  const found = JSON.parse(printed) as (readonly [text: string, name: string])[];
  return new Map(found.map(([text, name], index) => [`${name} (${index})`, text] as const));
}
