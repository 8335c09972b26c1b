import { readFileSync, statSync } from 'node:fs';
import { schemaOfCases } from '../cases/run.ts';
import { Judge } from '../judge.ts';
import type { Server } from '../servers.ts';
import { Tally } from '../tally.ts';
import { TOOL, TOOLS } from './tools.ts';

/** Makes the role, for the database's administrator. */
export const PREPARE_TOOLS = `CREATE ROLE ${TOOL.user} SUPERUSER LOGIN PASSWORD '${TOOL.password}';
  ALTER ROLE ${TOOL.user} SET log_statement = 'all';
  ALTER ROLE ${TOOL.user} SET log_min_messages = 'log';`;
const PREFIX = `\\S+ \\S+ \\S+ \\[\\d+\\] ${TOOL.user}@\\S+`;
/** A message of the server's log about the tools' role, and its detail; lines that these go on in begin with a tab. */
const MESSAGE = new RegExp(
  `^${PREFIX} LOG:  (.*(?:\\n\\t.*)*)(?:\\n${PREFIX} DETAIL:  [Pp]arameters: (.*(?:\\n\\t.*)*))?`,
  'gm',
);
const PARAMETER = /\$\d+ = (?:NULL|'((?:[^']|'')*)')/g;
const STATEMENT = /^(?:statement|execute [^:]*): (.*)$/s;

/**
 * What tools ask a server when they look at a database: they are run, the server logs what they say, and that is judged
 * over what they have left behind.
 */
export async function tools(server: Server): Promise<Tally> {
  await server.make(TOOL.database);
  const session = await server.open({ database: TOOL.database });
  try {
    const { error } = await session.run(`${PREPARE_TOOLS}${schemaOfCases()}`);
    if (error !== undefined) throw new Error(error);
    const statements = await heard(server);
    const tally = new Tally('tools', server.major);
    const judge = new Judge(session, server.major);
    for (const [text, { tool }] of statements) {
      tally.at = tool;
      await judge.judge(text, tally);
    }
    return tally;
  } finally {
    session.close();
  }
}

/** Who said a statement first, and with which parameters. */
export interface Said {
  readonly tool: string;
  readonly values: readonly (string | null)[] | undefined;
}

/** Statements of all tools that can be run here. */
export async function heard(server: Pick<Server, 'postgres' | 'major'>): Promise<ReadonlyMap<string, Said>> {
  const statements = new Map<string, Said>();
  for (const { name, run } of TOOLS) {
    const before = statSync(server.postgres.logFile).size;
    await run(server).catch((error: Error) => missing(name, server, error));
    const log = readFileSync(server.postgres.logFile).subarray(before).toString('utf8');
    for (const [, message = '', given] of log.matchAll(MESSAGE)) {
      const text = STATEMENT.exec(message.replaceAll('\n\t', '\n'))?.[1];
      if (text !== undefined && !statements.has(text))
        statements.set(text, { tool: name, values: valuesOf(given) });
    }
  }
  return statements;
}

function valuesOf(given: string | undefined): (string | null)[] | undefined {
  if (given === undefined) return undefined;
  const found = given.replaceAll('\n\t', '\n').matchAll(PARAMETER);
  return [...found].map(([, value]) => value?.replaceAll("''", "'") ?? null);
}

/** What a tool said before it ended counts all the same: pg_dump of an older release, say, stops early. */
function missing(name: string, { major }: Pick<Server, 'major'>, error: Error): void {
  const { stderr = error.message } = error as Error & { readonly stderr?: string };
  const why = /^.*error.*$/im.exec(stderr)?.[0] ?? stderr;
  process.stderr.write(`${name} ended early at PostgreSQL ${major}: ${why}\n`);
}
