import { readdirSync, readFileSync } from 'node:fs';
import { Judge } from '../judge.ts';
import { PsqlScanner } from '../psql/scanner.ts';
import type { Server } from '../servers.ts';
import { Tally } from '../tally.ts';

const HERE = new URL('.', import.meta.url);
const SCHEMA = 'schema.sql';

/** Statements written by hand, each for something that resolution depends on; none is run. */
export async function cases(server: Server): Promise<Tally> {
  const files = readdirSync(HERE).filter((name) => name.endsWith('.sql') && name !== SCHEMA);
  const texts = files.map((name) => [name, readFileSync(new URL(name, HERE), 'utf8')] as const);
  return judgeTexts(server, 'cases', schemaOfCases(), new Map(texts));
}

/** One of everything that resolution depends on. */
export function schemaOfCases(): string {
  return readFileSync(new URL(SCHEMA, HERE), 'utf8');
}

/**
 * Judges statements, over one schema; nothing but that is run.
 *
 * @throws {Error} The schema is not accepted.
 */
export async function judgeTexts(
  server: Server,
  corpus: string,
  schema: string,
  texts: ReadonlyMap<string, string>,
): Promise<Tally> {
  await server.make(corpus);
  const session = await server.open({ database: corpus });
  try {
    const { error } = await session.run(schema);
    if (error !== undefined) throw new Error(`${corpus}: ${error}`);
    const tally = new Tally(corpus, server.major);
    const judge = new Judge(session, server.major);
    for (const [name, text] of texts) {
      tally.at = name;
      await judgeText(judge, text, tally);
    }
    return tally;
  } finally {
    session.close();
  }
}

async function judgeText(judge: Judge, text: string, tally: Tally): Promise<void> {
  const scanner = new PsqlScanner(text, new Map());
  for (let piece = scanner.next(); piece !== undefined; piece = scanner.next()) {
    if (piece.kind !== 'sql') continue;
    if (!(await judge.judge(piece.text, tally)))
      tally.refused(piece.text, 'not one statement that is compared');
  }
}
