import { readFileSync, statSync } from 'node:fs';
import { schemaOfCases } from '../cases/run.ts';
import { Judge } from '../judge.ts';
import type { Server } from '../servers.ts';
import { Tally } from '../tally.ts';
import { TOOL, TOOLS } from './tools.ts';

const PREPARE = `CREATE ROLE ${TOOL.user} SUPERUSER LOGIN PASSWORD '${TOOL.password}';
  ALTER ROLE ${TOOL.user} SET log_statement = 'all';
  ALTER ROLE ${TOOL.user} SET log_min_messages = 'log';`;
/** A message of the server's log about the tools' role; lines that it goes on in begin with a tab. */
const MESSAGE = new RegExp(`^\\S+ \\S+ \\S+ \\[\\d+\\] ${TOOL.user}@\\S+ LOG:  (.*(?:\\n\\t.*)*)`, 'gm');
const STATEMENT = /^(?:statement|execute [^:]*): (.*)$/s;

/**
 * What tools ask a server when they look at a database: they are run, the server logs what they say, and that is judged
 * over what they have left behind.
 */
export async function tools(server: Server): Promise<Tally> {
  await server.make(TOOL.database);
  const session = await server.open({ database: TOOL.database });
  try {
    const { error } = await session.run(`${PREPARE}${schemaOfCases()}`);
    if (error !== undefined) throw new Error(error);
    const statements = await heard(server);
    const tally = new Tally('tools', server.major);
    const judge = new Judge(session, server.major);
    for (const [text, tool] of statements) {
      tally.at = tool;
      await judge.judge(text, tally);
    }
    return tally;
  } finally {
    session.close();
  }
}

/** Statements, each with the tool that said it first. */
async function heard(server: Server): Promise<ReadonlyMap<string, string>> {
  const statements = new Map<string, string>();
  for (const { name, run } of TOOLS) {
    const before = statSync(server.postgres.logFile).size;
    await run(server).catch((error: Error) => missing(name, server, error));
    const log = readFileSync(server.postgres.logFile).subarray(before).toString('utf8');
    for (const [, message = ''] of log.matchAll(MESSAGE)) {
      const text = STATEMENT.exec(message.replaceAll('\n\t', '\n'))?.[1];
      if (text !== undefined && !statements.has(text)) statements.set(text, name);
    }
  }
  return statements;
}

/** What a tool said before it ended counts all the same: pg_dump of an older release, say, stops early. */
function missing(name: string, { major }: Server, error: Error): void {
  const { stderr = error.message } = error as Error & { readonly stderr?: string };
  const why = /^.*error.*$/im.exec(stderr)?.[0] ?? stderr;
  process.stderr.write(`${name} ended early at PostgreSQL ${major}: ${why}\n`);
}
