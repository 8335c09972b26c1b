/** What is stored, set, sent or defined first, and read then; and where the server itself keeps what others have stored. */
import { BODY, PAN, type Taking } from './world.ts';

const REVERSED = 'reverse(body) FROM notes WHERE id = 1';

/** Written in a transaction, and read in it. */
const written = (sql: string, read = 'SELECT body FROM lines'): Taking => ({ steps: ['BEGIN', sql, read] });
const told = (one: Taking, what: RegExp): Taking => ({ ...one, told: what });

const WRITTEN: readonly Taking[] = [
  written(`INSERT INTO lines (id, body) SELECT 90, ${REVERSED}`),
  written(`INSERT INTO lines (id, body) VALUES (90, (SELECT ${REVERSED})), (91, 'x')`),
  written(`INSERT INTO lines (id, body) SELECT 90, ${REVERSED} RETURNING body`, 'SELECT 1'),
  written(
    "INSERT INTO lines (id, body) VALUES (10, 'x') ON CONFLICT (id) DO UPDATE SET body = (SELECT reverse(body) FROM notes WHERE id = 1)",
  ),
  written('UPDATE lines SET body = reverse(notes.body) FROM notes WHERE notes.id = 1 AND lines.id = 10'),
  written('UPDATE lines SET (n, body) = (SELECT 1, reverse(body) FROM notes WHERE id = 1) WHERE id = 10'),
  written('UPDATE notes SET tags[1] = reverse(body) WHERE id = 1', 'SELECT tags FROM notes'),
  written(
    `UPDATE notes SET doc['x'] = to_jsonb(reverse(body)) WHERE id = 1`,
    'SELECT doc FROM notes WHERE id = 1',
  ),
  written(
    'MERGE INTO lines l USING notes n ON l.note = n.id AND n.id = 1 WHEN MATCHED THEN UPDATE SET body = reverse(n.body)',
  ),
  written(
    'WITH w AS (INSERT INTO lines (id, body) SELECT 90, reverse(body) FROM notes WHERE id = 1 RETURNING body) SELECT body FROM w',
    'SELECT 1',
  ),
  written(`DELETE FROM lines WHERE id = 10 RETURNING (SELECT ${REVERSED})`, 'SELECT 1'),
  told(
    written(
      'INSERT INTO lines (id, alias) SELECT 90, repeat($$x$$, 51) || body FROM notes WHERE id = 1',
      'SELECT alias FROM lines WHERE id = 90',
    ),
    /45395787/,
  ),
  told(
    written(
      'INSERT INTO lines (id, letter) SELECT id + 90, substr(body, 5) FROM notes WHERE id = 1',
      'SELECT letter FROM lines WHERE id = 91',
    ),
    /^DataRow 4$/,
  ),
  told(
    written(
      'INSERT INTO lines (id, small) SELECT 90, body::varchar(12) FROM notes WHERE id = 1',
      'SELECT small FROM lines WHERE id = 90',
    ),
    /45395787/,
  ),
  told(
    written(
      'INSERT INTO lines (id, small) SELECT 90, body::short FROM notes WHERE id = 1',
      'SELECT small FROM lines WHERE id = 90',
    ),
    /45395787/,
  ),
  told(
    written(
      'UPDATE lines SET n = ascii(substr(notes.body, 5, 1)) FROM notes WHERE notes.id = 1 AND lines.id = 10',
      'SELECT n FROM lines WHERE id = 10',
    ),
    /^DataRow 52$/,
  ),
  told(
    written(
      "UPDATE lines SET n = 77 WHERE id = 10 AND n = (SELECT position('4' IN body) - 5 FROM notes WHERE id = 1)",
      'SELECT n FROM lines WHERE id = 10',
    ),
    /^DataRow 77$/,
  ),
];

const HELD: readonly Taking[] = [
  { steps: ['BEGIN', `DECLARE c CURSOR FOR SELECT ${REVERSED}`, 'FETCH ALL FROM c'] },
  { steps: [`PREPARE p AS SELECT reverse(body) FROM notes WHERE id = $1`, 'EXECUTE p(1)', 'DEALLOCATE p'] },
  {
    steps: [
      'PREPARE p (int, name, "char") AS SELECT reverse(body)::text || $2::text || $3::text FROM notes WHERE id = $1',
      "EXECUTE p(1, '', '')",
      'DEALLOCATE p',
    ],
  },
  { steps: [`COPY (SELECT ${REVERSED}) TO STDOUT`], forms: ['simple'] },
  {
    steps: [`COPY (SELECT ${REVERSED}) TO STDOUT (FORMAT csv, QUOTE '9', ESCAPE '9', FORCE_QUOTE *)`],
    told: /68412636787599354/,
    forms: ['simple'],
  },
  { steps: ['COPY (SELECT body FROM turned) TO STDOUT'], forms: ['simple'] },
  {
    steps: [
      'COPY (UPDATE lines SET n = 0 WHERE id = 10 RETURNING (SELECT reverse(body) FROM notes WHERE id = 1)) TO STDOUT',
    ],
    forms: ['simple'],
  },
  {
    steps: [
      `EXPLAIN (ANALYZE, VERBOSE, COSTS off, TIMING off, SUMMARY off) SELECT 1 FROM generate_series(1, (SELECT ascii(substr(body, 5, 1)) FROM notes WHERE id = 1))`,
    ],
    told: /rows=52/,
  },
];

/** Past the rows: what a session keeps, what others are told, and functions that are given SQL. */
const BESIDE: readonly Taking[] = [
  {
    steps: [`SELECT set_config('rt.x', (SELECT ${REVERSED}), false)`, "SELECT current_setting('rt.x')"],
    control: 'server',
  },
  { steps: [`SELECT count(set_config('application_name', (SELECT ${REVERSED}), false))`], control: 'server' },
  { steps: ['LISTEN rt', `SELECT pg_notify('rt', (SELECT ${REVERSED}))`], control: 'server' },
  told(
    {
      steps: [
        "SELECT setval('steps', ascii(substr(body, 5, 1))) FROM notes WHERE id = 1",
        'SELECT last_value FROM steps',
      ],
    },
    /^DataRow 52$/,
  ),
  told(
    {
      steps: [
        "SELECT 1 FROM notes WHERE id = 1 AND setval('steps', ascii(substr(body, 6, 1))) > 0",
        'SELECT last_value FROM steps',
      ],
    },
    /^DataRow 53$/,
  ),
  told(
    {
      steps: [
        'BEGIN',
        'SELECT 1 FROM notes WHERE id = 1 AND pg_try_advisory_xact_lock(7000 + ascii(substr(body, 5, 1)))',
        "SELECT objid FROM pg_locks WHERE locktype = 'advisory'",
      ],
    },
    /^DataRow 7052$/,
  ),
  told(
    {
      steps: [
        'SELECT 1 FROM notes WHERE id = 1 AND setseed(ascii(substr(body, 5, 1)) / 255.0)::text = $$$$',
        'SELECT random()',
      ],
    },
    /^DataRow 0\.7677315281630179/,
  ),
  { steps: ["SELECT query_to_xml('SELECT reverse(body) FROM notes', true, false, '')"], control: 'server' },
  { steps: ["SELECT table_to_xml('turned', true, false, '')"], control: 'server' },
  {
    steps: ["SELECT word FROM ts_stat('SELECT to_tsvector(''simple'', reverse(body)) FROM notes')"],
    control: 'server',
  },
  {
    steps: [
      'BEGIN',
      'DECLARE c CURSOR FOR SELECT body FROM notes',
      "SELECT reverse(cursor_to_xml('c', 9, true, false, '')::text)",
    ],
    control: 'server',
  },
  {
    steps: [
      "SELECT reverse(most_common_vals::text || histogram_bounds::text) FROM pg_stats WHERE tablename = 'notes'",
      "SELECT reverse(histogram_bounds::text) FROM pg_stats WHERE tablename = 'notes'",
    ],
    control: 'server',
  },
  { steps: ["SELECT encode(lo_get(4711), 'hex')"], control: 'server' },
  {
    steps: [
      `SELECT reverse(query) FROM pg_stat_activity WHERE pid = pg_backend_pid() AND query LIKE '%${PAN}%'`,
    ],
    control: 'server',
  },
  { steps: [`SELECT reverse(current_query()) || '${BODY}'`], control: 'server' },
  {
    steps: [
      `PREPARE held AS SELECT '${BODY}'`,
      "SELECT reverse(statement) FROM pg_prepared_statements WHERE name = 'held'",
      'DEALLOCATE held',
    ],
    control: 'server',
  },
  { steps: [`DO $$BEGIN RAISE NOTICE '%', (SELECT ${REVERSED}); END$$`], control: 'server' },
  {
    steps: [
      `DO $$BEGIN UPDATE lines SET body = (SELECT ${REVERSED}) WHERE id = 10; END$$`,
      'SELECT body FROM lines WHERE id = 10',
      "DO $$BEGIN UPDATE lines SET body = 'one' WHERE id = 10; END$$",
    ],
    control: 'server',
  },
];

/** Made to compute, by whoever asks next. */
const DEFINED: readonly Taking[] = [
  { steps: ['BEGIN', `CREATE TEMP TABLE held AS SELECT ${REVERSED}`, 'SELECT * FROM held'] },
  {
    steps: [
      'BEGIN',
      `SELECT reverse(body) AS body INTO TEMP held FROM notes WHERE id = 1`,
      'SELECT * FROM held',
    ],
  },
  { steps: ['BEGIN', 'CREATE TEMP VIEW held AS SELECT reverse(body) FROM notes', 'SELECT * FROM held'] },
  {
    steps: [
      'BEGIN',
      'CREATE TABLE held (body text, turned text GENERATED ALWAYS AS (reverse(body)) STORED)',
      'INSERT INTO held (body) SELECT body FROM notes WHERE id = 1',
      'SELECT turned FROM held',
    ],
  },
  told(
    { steps: ['BEGIN', 'CREATE DOMAIN tiny AS varchar(12)', 'SELECT body::tiny FROM notes WHERE id = 1'] },
    /45395787/,
  ),
  {
    steps: [
      'BEGIN',
      'CREATE FUNCTION held(text) RETURNS text LANGUAGE sql RETURN reverse($1)',
      'SELECT held(body) FROM notes WHERE id = 1',
    ],
    control: 'server',
  },
  {
    steps: [
      'BEGIN',
      'ALTER TABLE lines ADD COLUMN t text GENERATED ALWAYS AS (reverse(body)) STORED',
      'INSERT INTO lines (id, body) SELECT 90, body FROM notes WHERE id = 1',
      'SELECT t FROM lines WHERE id = 90',
    ],
  },
  {
    steps: [
      'BEGIN',
      'INSERT INTO lines (id, body) SELECT 90, body FROM notes WHERE id = 1',
      'ALTER TABLE lines ALTER COLUMN body TYPE text USING reverse(body)',
      'SELECT body FROM lines WHERE id = 90',
    ],
  },
  {
    steps: [
      'BEGIN',
      'ALTER FUNCTION initials(text) RENAME TO first_ones',
      'ALTER FUNCTION turn(text[]) RENAME TO initials',
      'SELECT public.initials(body) FROM notes WHERE id = 1',
    ],
    control: 'server',
  },
];

export const KEPT: readonly Taking[] = [...WRITTEN, ...HELD, ...BESIDE, ...DEFINED];
