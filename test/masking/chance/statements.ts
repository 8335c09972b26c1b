import fc from 'fast-check';
import type { Major } from '../../attacks/world.ts';
import { sources } from './sources.ts';
import { column, condition, filled, number, pick, type Text, text } from './values.ts';

/** How one message is sent. */
export interface Step {
  readonly sql: string;
  /** By Parse, Bind and Execute; else as a Query. */
  readonly extended?: { readonly values: readonly string[]; readonly binary: boolean };
}

/** Messages that are sent one after the other, within a transaction that is undone. */
export type Case = readonly Step[];

const EXPLAINS = [
  'EXPLAIN',
  'EXPLAIN (VERBOSE)',
  'EXPLAIN (COSTS OFF)',
  'EXPLAIN (FORMAT JSON)',
  'EXPLAIN (ANALYZE, TIMING OFF, SUMMARY OFF, BUFFERS OFF)',
];
const NEWER_EXPLAINS = [
  'EXPLAIN (GENERIC_PLAN)',
  'EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF, BUFFERS OFF, SERIALIZE)',
];

const alone = (sql: Text): fc.Arbitrary<Case> => sql.map((one) => [{ sql: one }]);
const steps = (...all: readonly Text[]): fc.Arbitrary<Case> =>
  fc.tuple(...all).map((found) => found.map((sql) => ({ sql })));
const extended = (sql: Text, values: readonly string[] = []): fc.Arbitrary<Case> =>
  fc.tuple(sql, fc.boolean()).map(([one, binary]) => [{ sql: one, extended: { values, binary } }]);

/** Changes of the schema, after which a masked column may be called otherwise. */
const CHANGES = [
  ...[
    'CREATE TABLE k () INHERITS (people)',
    'CREATE TABLE k (LIKE people INCLUDING ALL)',
    'CREATE INDEX k ON people (upper(c1))',
  ],
  ...[
    'ALTER TABLE people RENAME c1 TO d1',
    'ALTER TABLE people RENAME TO k',
    'ALTER TABLE people ALTER c1 TYPE varchar(3) USING c1::varchar(3)',
  ],
  ...[
    "ALTER TABLE people ADD d1 text GENERATED ALWAYS AS (c1 || '!') STORED",
    'ALTER TABLE kin NO INHERIT family',
    'ALTER VIEW seen RENAME TO k',
  ],
  ...[
    'CREATE RULE k AS ON UPDATE TO plain DO ALSO SELECT * FROM people',
    'CREATE TABLE k PARTITION OF parts DEFAULT',
    'ALTER TABLE people ADD CHECK (c1 < $$p$$)',
  ],
  ...[
    'INSERT INTO plain SELECT 900, c1, c2 FROM people WHERE c0 = 1',
    'UPDATE plain SET c2 = (SELECT c1 FROM people WHERE c0 = 1)',
    'ALTER TABLE people DROP c1',
  ],
];

/** What built-in functions show of relations that are given by name, and what rows have besides. */
const BY_NAME = [
  ...[
    "query_to_xml('SELECT c1 FROM people', true, false, '')",
    "table_to_xml('people', true, false, '')",
    "database_to_xml(true, false, '')",
  ],
  ...[
    "cursor_to_xml('c', 1, true, false, '')",
    "schema_to_xml('public', true, false, '')",
    "ts_stat('SELECT to_tsvector(c1) FROM people')",
  ],
  ...[
    "pg_get_viewdef('seen')",
    "upper(pg_get_viewdef('seen'::regclass))",
    "(SELECT definition FROM pg_views WHERE viewname = 'seen')",
    "(SELECT most_common_vals FROM pg_stats WHERE attname = 'c1' LIMIT 1)",
    "pg_relation_size('people')",
    'pg_column_size(t.c1)',
    'ctid, c1',
    'tableoid::regclass, t.*',
    'pg_typeof(c1), c1',
  ],
  ...[
    '(SELECT s.stawidth FROM pg_statistic s LIMIT 1)',
    "(SELECT avg_width FROM pg_stats WHERE attname = 'c1' LIMIT 1)",
    'to_regclass(c1)',
    'set_config($$a.b$$, c1, false)',
  ],
  ...[
    "(SELECT reltuples FROM pg_class WHERE relname = 'people')",
    "pg_notify('k', c1)",
    'hash_record(t)',
    't IS NULL',
    't = t',
    '(t).c1',
    'json_agg(t) OVER ()',
    'ts_headline(c1, to_tsquery($$one$$))',
  ],
];

/** What a server of that version takes, most of it. */
export function cases(major: Major): fc.Arbitrary<Case> {
  const source = sources(major);
  const row = fc.tuple(number, text, text).map((all) => all.join(', '));
  const list = fc.oneof(
    { weight: 8, arbitrary: pick('*', '*', 't.*', 'c1, c2, c0', 't.c2, t.c1', 't', 't.c0, t.c1 AS "C"') },
    row,
  );
  const returning = fc.oneof(
    pick('*', 't.*', 't.c1', 't.c2, t.c0', 't', ...(major < 18 ? [] : ['old.*', 'new.c1', 'old.c2 IS NULL'])),
    row,
  );

  const query: Text = fc.oneof(
    { weight: 12, arbitrary: filled('SELECT $ FROM $ t', list, source) },
    {
      weight: 2,
      arbitrary: filled('SELECT $ FROM $ t ORDER BY $', list, source, pick('t.c0', 't.c1', 't.c2', '1', '2')),
    },
    { weight: 2, arbitrary: filled('SELECT $ FROM $ t WHERE $', list, source, condition) },
    filled('SELECT DISTINCT $ FROM $ t', list, source),
    filled('SELECT $ FROM people t FOR UPDATE', list),
    filled('SELECT $ FROM $ t LIMIT 2 OFFSET 1', list, source),
    filled('SELECT count(*), count(t.$) FROM $ t', column, source),
    filled(
      'SELECT EXISTS (SELECT $ FROM $ t $)',
      list,
      source,
      pick('', 'WHERE t.c0 > 2', "WHERE t.c1 = 'zulu'"),
    ),
    filled('TABLE $', pick('people', 'plain', 'kin', 'parts', 'made', 'seen', 'boxes', 'notes', 'lists')),
  );

  const write: Text = fc.oneof(
    filled(
      'INSERT INTO plain AS t SELECT c0 + 100, c1, c2 FROM $ s ON CONFLICT DO NOTHING RETURNING $',
      source,
      returning,
    ),
    filled(
      "INSERT INTO people AS t VALUES ($, 'new', 'two 0') ON CONFLICT (c0) DO $ RETURNING $",
      pick('1', '50'),
      pick(
        'NOTHING',
        'UPDATE SET c2 = excluded.c1',
        'UPDATE SET c2 = t.c1',
        "UPDATE SET c1 = 'z' WHERE t.c1 > 'k'",
      ),
      returning,
    ),
    filled(
      'UPDATE plain t SET c2 = $ FROM $ s WHERE s.c0 = t.c0 RETURNING $',
      pick('s.c1', 's.c2', "'x'", 'NULL'),
      source,
      returning,
    ),
    filled(
      'UPDATE people t SET $ WHERE $ RETURNING $',
      pick("c1 = 'w'", "c2 = 'w'", 'c2 = c1', 'c1 = c1', '(c1, c2) = (c2, c1)', 'c1 = upper(c1)'),
      condition,
      returning,
    ),
    filled(
      'UPDATE plain t SET (c1, c2) = (SELECT s.c1, s.c2 FROM $ s LIMIT 1) RETURNING $',
      source,
      returning,
    ),
    filled(
      'DELETE FROM $ t USING $ s WHERE t.c0 = s.c0 AND $ RETURNING $',
      pick('people', 'plain', 'family', 'parts'),
      source,
      pick('true', "s.c1 <> 'q'", "s.c2 <> 'q'"),
      returning,
    ),
    filled(
      'MERGE INTO $ t USING $ s ON $ WHEN MATCHED AND $ THEN $ WHEN NOT MATCHED THEN INSERT VALUES (s.c0 + 200, $, s.c2) $',
      pick('plain', 'people'),
      source,
      pick('t.c0 = s.c0', 't.c1 = s.c1', 't.c2 = s.c2 AND t.c0 = s.c0'),
      pick('true', "s.c1 > 'k'", 't.c0 > 1'),
      pick('DO NOTHING', "UPDATE SET c2 = 'm'", 'UPDATE SET c2 = s.c1', 'DELETE'),
      pick('s.c1', 's.c2', "'x'"),
      pick(
        '',
        '',
        ...(major < 18 ? [] : ['RETURNING *', 'RETURNING t.c1, merge_action()', 'RETURNING s.c1']),
      ),
    ),
    filled('WITH w AS (UPDATE people t SET c2 = c2 RETURNING $) SELECT * FROM w', returning),
    filled(
      'WITH w AS (DELETE FROM plain t WHERE t.c0 > 2 RETURNING c0, c1, c2), v AS (SELECT * FROM $ t) SELECT $ FROM w t JOIN v USING (c0)',
      source,
      pick('t.c1', 'v.c1', 'v.c2, t.c2'),
    ),
    filled('INSERT INTO plain SELECT c0 + 300, $, c2 FROM $ t', pick('c1', 'c2'), source),
  );

  return fc.oneof(
    { weight: 40, arbitrary: alone(query) },
    { weight: 8, arbitrary: extended(query) },
    {
      weight: 4,
      arbitrary: extended(filled('SELECT $ FROM $ t WHERE t.$ = $1', list, source, column, pick('$')), ['1']),
    },
    {
      weight: 2,
      arbitrary: extended(filled('SELECT $1::text, $ FROM $ t', pick('$'), list, source), ['alpha']),
    },
    { weight: 14, arbitrary: alone(write) },
    { weight: 3, arbitrary: extended(write) },
    {
      weight: 6,
      arbitrary: alone(
        filled(
          'COPY ($) TO STDOUT $',
          query,
          pick('', 'CSV HEADER', '(FORMAT binary)', '(FORMAT csv, FORCE_QUOTE *)'),
        ),
      ),
    },
    {
      weight: 1,
      arbitrary: alone(
        filled(
          'COPY $ TO STDOUT',
          pick('people', 'people (c0, c2)', 'plain', 'people (c1)', 'parts_1', 'pay', 'family', 'boxes'),
        ),
      ),
    },
    {
      weight: 5,
      arbitrary: alone(filled('$ $', pick(...EXPLAINS, ...(major < 18 ? [] : NEWER_EXPLAINS)), query)),
    },
    {
      weight: 2,
      arbitrary: alone(filled('$ $', pick(...EXPLAINS, ...(major < 18 ? [] : NEWER_EXPLAINS)), write)),
    },
    {
      weight: 4,
      arbitrary: steps(
        filled('DECLARE c $ CURSOR FOR $', pick('', 'SCROLL', 'NO SCROLL', 'BINARY'), query),
        pick('FETCH 2 FROM c', 'FETCH ALL FROM c'),
        pick('MOVE 1 IN c', 'FETCH BACKWARD 1 FROM c', 'FETCH ABSOLUTE 1 FROM c', 'CLOSE c'),
        pick('FETCH NEXT FROM c', 'CLOSE ALL'),
      ),
    },
    {
      weight: 3,
      arbitrary: steps(
        filled('PREPARE p AS $', query),
        pick('EXECUTE p'),
        pick('EXECUTE p', 'EXPLAIN EXECUTE p', 'DEALLOCATE p'),
      ),
    },
    {
      weight: 1,
      arbitrary: steps(
        filled('PREPARE p (int) AS SELECT $ FROM $ t WHERE t.$ = $1', list, source, column, pick('$')),
        pick('EXECUTE p (1)'),
        pick('EXECUTE p (3)', 'DEALLOCATE ALL'),
      ),
    },
    {
      weight: 2,
      arbitrary: steps(
        filled(
          'CREATE $ k AS $',
          pick('TEMP TABLE', 'TABLE', 'TEMP VIEW', 'VIEW', 'MATERIALIZED VIEW'),
          query,
        ),
        pick(
          'SELECT * FROM k',
          'SELECT count(*) FROM k',
          'TABLE k',
          'SELECT k::text FROM k',
          'SELECT c1 FROM k ORDER BY c2',
        ),
      ),
    },
    {
      weight: 1,
      arbitrary: steps(
        filled('SELECT $ INTO $ k FROM $ t', list, pick('', 'TEMP'), source),
        pick('SELECT * FROM k'),
      ),
    },
    {
      weight: 2,
      arbitrary: steps(
        write,
        pick(
          'SELECT * FROM plain t',
          'SELECT c1, c2 FROM plain',
          'SELECT * FROM people',
          'SELECT count(*) FROM plain',
        ),
      ),
    },
    {
      weight: 1,
      arbitrary: steps(
        pick(...CHANGES),
        pick(
          'SELECT * FROM k',
          'SELECT * FROM people',
          'SELECT c1 FROM k',
          'SELECT * FROM plain',
          'SELECT d1 FROM people',
        ),
      ),
    },
    { weight: 2, arbitrary: alone(filled('SELECT $ FROM people t', pick(...BY_NAME))) },
  );
}
