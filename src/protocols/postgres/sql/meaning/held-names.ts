import type { Catalog } from '../../catalog/model/model.ts';

/**
 * A relation or schema that a transaction holds for itself alone: whatever it made, dropped, renamed or changed, and what
 * it locked so.
 */
export interface HeldName {
  readonly kind: 'relation' | 'schema';
  readonly oid: number;
  /** What it is called in the transaction; undefined: it is gone. */
  readonly now?: {
    /** Of a relation: where it is. */
    readonly schema: string;
    readonly name: string;
    /** Its rows are what its definition says, which may be another now. */
    readonly isView: boolean;
  };
}

/** What became of a name, or of all names of a schema, in a transaction that the catalog does not show yet. */
export interface NameChange {
  readonly schema: string;
  /** Undefined: every name of the schema. */
  readonly name?: string;
  readonly change: 'made' | 'gone' | 'unclear';
}

/** Told by the locks that a session's transaction keeps to its end: a rename, for one, cannot be had without one. */
const HELD = `SELECT l.relation AS oid, 'relation' AS kind FROM pg_catalog.pg_locks l
    WHERE l.pid OPERATOR(pg_catalog.=) pg_catalog.pg_backend_pid() AND l.locktype OPERATOR(pg_catalog.=) 'relation'
      AND l.mode OPERATOR(pg_catalog.=) 'AccessExclusiveLock' AND l.relation OPERATOR(pg_catalog.>=) 16384::pg_catalog.oid
  UNION ALL SELECT l.objid, 'schema' FROM pg_catalog.pg_locks l
    WHERE l.pid OPERATOR(pg_catalog.=) pg_catalog.pg_backend_pid() AND l.locktype OPERATOR(pg_catalog.=) 'object'
      AND l.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_namespace'::pg_catalog.regclass
      AND l.mode OPERATOR(pg_catalog.=) 'AccessExclusiveLock'`;

/**
 * An expression: a JSON array of `[kind, oid, schema, name, isView]`, for `heldNames`. Every name and operator is
 * qualified: it runs in a session whose path may put others first. PostgreSQL 13 to 18.
 *
 * @see https://www.postgresql.org/docs/current/explicit-locking.html
 */
export const HELD_NAMES = `(SELECT pg_catalog.json_agg(pg_catalog.json_build_array(h.kind, h.oid::pg_catalog.int8,
    CASE WHEN h.kind OPERATOR(pg_catalog.=) 'schema' THEN n.nspname ELSE m.nspname END,
    CASE WHEN h.kind OPERATOR(pg_catalog.=) 'schema' THEN n.nspname ELSE c.relname END,
    coalesce(c.relkind::pg_catalog.text OPERATOR(pg_catalog.=) ANY (ARRAY['v', 'm']::pg_catalog.text[]), false)))
  FROM (${HELD}) h
  LEFT JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) h.oid AND h.kind OPERATOR(pg_catalog.=) 'relation'
  LEFT JOIN pg_catalog.pg_namespace m ON m.oid OPERATOR(pg_catalog.=) c.relnamespace
  LEFT JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) h.oid AND h.kind OPERATOR(pg_catalog.=) 'schema')`;

const TEMPORARY = /^pg_temp_\d+$/;

type HeldRow = readonly [HeldName['kind'], number, string | null, string | null, boolean];

/**
 * @param json The answer to `HELD_NAMES`; null: nothing is held.
 * @throws {SyntaxError} It is no JSON.
 */
export function heldNames(json: string | null): HeldName[] {
  const rows = JSON.parse(json ?? 'null') as readonly HeldRow[] | null;
  return (rows ?? []).map(([kind, oid, schema, name, isView]) =>
    schema === null || name === null ? { kind, oid } : { kind, oid, now: { schema, name, isView } },
  );
}

/** What held names mean to who knows the catalog as it was: in the order in which later ones count. */
export function changesOf(held: readonly HeldName[], catalog: Catalog): NameChange[] {
  const gone: NameChange[] = [];
  const come: NameChange[] = [];
  for (const { kind, oid, now } of held) {
    if (kind === 'schema') {
      come.push(...renamedSchema(catalog.schemaName(oid), now?.name));
      continue;
    }
    const was = catalog.relations.get(oid);
    const same = was !== undefined && now !== undefined && was.schema === now.schema && was.name === now.name;
    // A table that is still what it was called is judged as one that a statement alters: by what was known of it.
    if (same && !now.isView) continue;
    if (was !== undefined) gone.push({ schema: was.schema, name: was.name, change: 'gone' });
    if (now !== undefined) come.push({ schema: now.schema, name: now.name, change: 'made' });
  }
  return [...gone, ...come];
}

/**
 * Under either name there may be anything. A schema that was dropped took all that it held, each of which is held itself;
 * of one that is new nothing is known anyway. Temporary ones are locked where what an earlier session left, or what this
 * one made before, is cleared away: what is not held is gone then, whatever the catalog still has of it.
 */
function renamedSchema(was: string | undefined, now: string | undefined): NameChange[] {
  if (was === undefined || now === undefined) return [];
  if (now === was) return TEMPORARY.test(now) ? [{ schema: now, change: 'gone' }] : [];
  return [was, now].map((schema) => ({ schema, change: 'unclear' as const }));
}
