/**
 * Prints the rows of `src/protocols/postgres/sql/parse/keywords.ts`: the keywords that are not the same to all majors.
 *
 *   node test/support/postgres/keyword-table.ts BIN…     folders of `postgres` and `initdb`, the oldest major first
 */
import { pathToFileURL } from 'node:url';
import { startPostgres } from './server.ts';

const KEYWORDS = "SELECT string_agg(word || ' ' || catcode::text, ',') FROM pg_catalog.pg_get_keywords()";

/** Word → category, as one server has them. */
export async function keywordsOf(psql: (sql: string) => Promise<string>): Promise<Map<string, string>> {
  const rows = (await psql(KEYWORDS)).trim().split(',');
  return new Map(rows.map((row) => row.split(' ') as [string, string]));
}

async function main(folders: readonly string[]): Promise<void> {
  const majors: Map<string, string>[] = [];
  for (const bin of folders) {
    const server = await startPostgres({ bin });
    majors.push(await keywordsOf(server.psql));
    await server.stop();
  }
  const words = [...new Set(majors.flatMap((words) => [...words.keys()]))].sort();
  for (const word of words) {
    const kinds = majors.map((one) => one.get(word) ?? '-');
    if (new Set(kinds).size > 1) process.stdout.write(`${word} ${kinds.join('')}\n`);
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await main(process.argv.slice(2));
