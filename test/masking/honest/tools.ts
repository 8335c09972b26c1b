import { schemaOfCases } from '../../analysis/cases/run.ts';
import { PsqlScanner } from '../../analysis/psql/scanner.ts';
import { textsAsked } from '../../analysis/tools/asked.ts';
import { textsOfPgadmin } from '../../analysis/tools/pgadmin.ts';
import { heard, PREPARE_TOOLS } from '../../analysis/tools/run.ts';
import { TOOL } from '../../analysis/tools/tools.ts';
import type { World } from '../../attacks/world.ts';
import type { Corpus, Honest } from './corpus.ts';

const MASKED = {
  'public.customers.email': ['pii'],
  'public.customers.born': ['pii'],
  'public.items.price': ['pii'],
};
/** The rest writes, or changes the session that asks. */
const LOOKS = /^[\s(]*(?:select|with|show|table|values)\b(?!.*\bset_config\b)/is;

/**
 * What tools ask when they look at a database, asked once more of the database as they have left it.
 *
 * @throws {Error} A package that brings one cannot be had here.
 */
export function tools(): Corpus {
  const sql = `SET client_min_messages = error;\n${PREPARE_TOOLS}\n${schemaOfCases()}`;
  return { name: 'tools', sql, columns: MASKED, statements: said, superuser: true, database: TOOL.database };
}

async function said({ major, stack }: World): Promise<Honest[]> {
  const spoken = [...(await heard({ major, postgres: stack.postgres }))].map(
    ([sql, { tool, values }]): Honest => ({
      at: tool,
      sql,
      masks: [],
      ...(values === undefined ? {} : { values }),
    }),
  );
  const written = [...textsAsked(), ...textsOfPgadmin()].flatMap(([at, text]) =>
    statementsIn(text).map((sql): Honest => ({ at, sql, masks: [], ...parameters(sql) })),
  );
  return [...spoken, ...written].filter(({ sql }) => LOOKS.test(sql));
}

function statementsIn(text: string): string[] {
  const found: string[] = [];
  const scanner = new PsqlScanner(text, new Map());
  for (let piece = scanner.next(); piece !== undefined; piece = scanner.next())
    if (piece.kind === 'sql') found.push(piece.text);
  return found;
}

/** Nobody knows what these would be. */
function parameters(sql: string): Pick<Honest, 'values'> {
  const most = Math.max(0, ...[...sql.matchAll(/\$(\d+)/g)].map(([, number]) => Number(number)));
  return most === 0 ? {} : { values: Array.from({ length: most }, () => null) };
}
