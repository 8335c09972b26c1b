import { setImmediate as turn } from 'node:timers/promises';
import { CATALOG_TABLES } from './mirror/tables.ts';
import { type ViewColumns, viewColumns } from './stored-trees/view-columns.ts';

type TextRow = readonly (string | null)[];
type Ask = (sql: string) => Promise<readonly (readonly TextRow[])[]>;

/** Characters: of one tree, of all that are asked for at once, and of all that are read for one answer. */
const MAX_TREE = 256 * 1024;
const MAX_AT_ONCE = 1024 * 1024;
const MAX_TREES = 16 * 1024 * 1024;

/** Before them stand the row's key and whether it is settled. */
const COLUMNS = Object.keys(CATALOG_TABLES.pg_rewrite.columns);
const [OID, MADE] = [COLUMNS.indexOf('oid') + 2, COLUMNS.indexOf('made') + 2] as const;

/** A view of which it is to be read what its columns are made of. */
interface Wanted {
  readonly row: unknown[];
  readonly length: number;
  readonly version: string;
}

/**
 * Reads what the columns of views are made of, where that was told by the length of a tree and the version of its row.
 *
 * The shortest trees first, up to a bound for all of them; between two of them others have their turn. A view that is not read, or
 * was changed in the meantime, has `null`: all of its columns count as made of all that it uses, and a change is told next time.
 *
 * @param rows Of `pg_rewrite`, as they were told; what is read is put into them.
 * @throws As `ask` does.
 */
export async function readViews(rows: readonly (readonly unknown[])[], ask: Ask): Promise<void> {
  for (const batch of batches(wantedIn(rows as readonly unknown[][]))) {
    const [answer = []] = await ask(questionOf(batch));
    const told = new Map(answer.map(([oid, version, tree]) => [Number(oid), { version, tree }]));
    for (const { row, version } of batch) {
      const now = told.get(row[OID] as number);
      if (now?.version === version && typeof now.tree === 'string') row[MADE] = made(now.tree);
      await turn();
    }
  }
}

function made(tree: string): ViewColumns | null {
  return viewColumns(tree) ?? null;
}

/** Takes what was told of all trees out of the rows. */
function wantedIn(rows: readonly unknown[][]): Wanted[] {
  const found = rows.flatMap((row): Wanted[] => {
    const told = row[MADE];
    row[MADE] = null;
    return Array.isArray(told) ? [{ row, length: Number(told[0]), version: String(told[1]) }] : [];
  });
  let left = MAX_TREES;
  const short = found.filter(({ length }) => length <= MAX_TREE).toSorted((a, b) => a.length - b.length);
  return short.filter(({ length }) => {
    left -= length;
    return left >= 0;
  });
}

function* batches(wanted: readonly Wanted[]): Generator<readonly Wanted[]> {
  let batch: Wanted[] = [];
  let octets = 0;
  for (const one of wanted) {
    if (octets + one.length > MAX_AT_ONCE) {
      yield batch;
      [batch, octets] = [[], 0];
    }
    batch.push(one);
    octets += one.length;
  }
  if (batch.length > 0) yield batch;
}

function questionOf(batch: readonly Wanted[]): string {
  const oids = batch.map(({ row }) => Number(row[OID])).join(',');
  return `SELECT x.oid::pg_catalog.int8, x.xmin::pg_catalog.text, x.ev_action::pg_catalog.text
    FROM pg_catalog.pg_rewrite x WHERE x.oid OPERATOR(pg_catalog.=) ANY ('{${oids}}'::pg_catalog.oid[])
    AND pg_catalog.length(x.ev_action::pg_catalog.text) OPERATOR(pg_catalog.<=) ${MAX_TREE}`;
}
