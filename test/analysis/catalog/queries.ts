/**
 * What analysis asks of the catalog, as the catalog has it, a query each. `$from` is where rows of the database's own begin:
 * those below came with it.
 *
 * @see https://www.postgresql.org/docs/current/catalogs.html
 */
export const QUERIES = {
  types: `SELECT t.oid, typnamespace, typname, typtype, typcategory, typispreferred, typsubscript::oid, typelem, typarray,
      typrelid, typbasetype, typtypmod, coalesce(r.rngsubtype, m.rngtypid, 0), coalesce(r.rngmultitypid, 0),
      typmodin::oid, typcollation <> 0
    FROM pg_type t LEFT JOIN pg_range r ON r.rngtypid = t.oid LEFT JOIN pg_range m ON m.rngmultitypid = t.oid
    WHERE t.oid >= $from`,
  functions: `SELECT p.oid, pronamespace, proname, prokind, proargtypes, array_to_string(proallargtypes, ' '),
      array_to_string(proargmodes, ''), array_to_json(proargnames), provariadic, pronargdefaults, prorettype, proretset,
      aggkind, aggnumdirectargs
    FROM pg_proc p LEFT JOIN pg_aggregate a ON a.aggfnoid = p.oid WHERE p.oid >= $from`,
  operators: `SELECT oid, oprnamespace, oprname, oprleft, oprright, oprresult, oprcode::oid FROM pg_operator
    WHERE oid >= $from`,
  casts: `SELECT castsource, casttarget, castfunc, castcontext, castmethod FROM pg_cast WHERE oid >= $from`,
  relations: `SELECT oid, relnamespace, relname, relkind, reltype, relnatts FROM pg_class
    WHERE oid >= $from AND relkind NOT IN ('i', 'I', 't')`,
  columns: `SELECT attrelid, attnum, attname, atttypid, atttypmod, attgenerated <> '', atthasdef
    FROM pg_attribute JOIN pg_class c ON c.oid = attrelid
    WHERE attrelid >= $from AND attnum > 0 AND NOT attisdropped AND relkind NOT IN ('i', 'I', 't')
    ORDER BY attrelid, attnum`,
  parents: `SELECT inhrelid, inhparent FROM pg_inherits WHERE inhrelid >= $from ORDER BY inhrelid, inhseqno`,
  keys: `SELECT conrelid, array_to_string(conkey, ' ') FROM pg_constraint
    WHERE oid >= $from AND contype = 'p' AND NOT condeferrable`,
  classes: `SELECT oid, opcnamespace, opcname, opcfamily, opcintype, opcdefault, opcmethod FROM pg_opclass
    WHERE oid >= $from AND opcmethod IN (403, 405)`,
  members: `SELECT amopfamily, amopopr, amoplefttype, amoprighttype, amopstrategy FROM pg_amop
    WHERE oid >= $from AND amopmethod IN (403, 405) AND amoppurpose = 's'`,
  inRange: `SELECT amprocfamily, amproclefttype, amprocrighttype, amproc::oid
    FROM pg_amproc p JOIN pg_opfamily f ON f.oid = amprocfamily WHERE p.oid >= $from AND opfmethod = 403 AND amprocnum = 3`,
} as const;

/** What a session sees of it. */
export const SESSION = `SELECT current_setting('server_version_num'), pg_my_temp_schema(),
  (SELECT string_agg(n.oid::text, ' ' ORDER BY place)
    FROM unnest(current_schemas(true)) WITH ORDINALITY s (name, place) JOIN pg_namespace n ON nspname = name)`;
/** What is told whenever something is written; NULL where the transaction itself has written nothing. */
export const WRITTEN = `SELECT pg_current_xact_id_if_assigned(), pg_snapshot_xmax(pg_current_snapshot())`;
/** Another answer, and something has been made, changed or dropped, or is looked up elsewhere. */
export const OBJECTS = `SELECT ${['class', 'proc', 'type', 'operator', 'cast', 'namespace']
  .map((name) => `(SELECT count(*) || '.' || max(xmin::text::bigint) FROM pg_${name})`)
  .join(', ')}, current_schemas(true), pg_my_temp_schema()`;
export const NAMESPACES = `SELECT nspname, oid FROM pg_namespace`;

export type Rows = Readonly<Record<keyof typeof QUERIES, readonly (readonly (string | null)[])[]>>;
