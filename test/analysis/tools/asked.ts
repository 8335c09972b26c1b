import { readFileSync } from 'node:fs';
import { judgeTexts, schemaOfCases } from '../cases/run.ts';
import type { Server } from '../servers.ts';
import type { Tally } from '../tally.ts';

/** Tools that no registry serves. */
const TOOLS = ['dbeaver', 'grafana', 'metabase'];

/** What tools ask that cannot be run here: the same questions, written anew after their sources. */
export async function asked(server: Server): Promise<Tally> {
  return judgeTexts(server, 'asked', schemaOfCases(), textsAsked());
}

/** By the tool. */
export function textsAsked(): ReadonlyMap<string, string> {
  const read = (name: string) => readFileSync(new URL(`${name}.sql`, import.meta.url), 'utf8');
  return new Map(TOOLS.map((name) => [name, read(name)] as const));
}
