/** Queries that spell the text out: of each place, whether a sign stands there, for all places and signs at once. */
import type { Taking } from './world.ts';

const spelled = "string_agg(d::text, '' ORDER BY p DESC)";
const series = 'generate_series(5, 20) p, generate_series(0, 9) d';
const is = (body: string, p = 'p', d = 'd::text') => `substr(${body}, ${p}, 1) = ${d}`;

const JOINED: readonly string[] = [
  `SELECT ${spelled} FROM notes n, ${series} WHERE id = 1 AND ${is('body')}`,
  `SELECT ${spelled} FROM notes n JOIN (SELECT p, d FROM ${series}) s ON ${is('n.body')} WHERE id = 1`,
  `SELECT ${spelled} FROM notes n, ${series}, LATERAL (SELECT n.body AS b OFFSET 0) x WHERE id = 1 AND ${is('x.b')}`,
  `SELECT ${spelled} FROM ${series} WHERE EXISTS (SELECT 1 FROM notes WHERE id = 1 AND ${is('body')})`,
  `SELECT ${spelled} FROM ${series} WHERE d::text = (SELECT substr(body, p, 1) FROM notes WHERE id = 1)`,
  `SELECT ${spelled} FROM ${series} WHERE d::text IN (SELECT substr(body, p, 1) FROM notes WHERE id = 1)`,
  `SELECT ${spelled} FROM ${series} WHERE (SELECT count(*) FROM notes WHERE id = 1 AND ${is('body')}) = 1`,
  `SELECT ${spelled} FROM (SELECT p, d FROM notes n, ${series} WHERE id = 1 GROUP BY p, d HAVING bool_or(${is('body')})) q`,
  `SELECT string_agg(d::text, '' ORDER BY p DESC) FILTER (WHERE ${is('body')}) FROM notes n, ${series} WHERE id = 1`,
  `WITH RECURSIVE r (b, p) AS (SELECT body, 5 FROM notes WHERE id = 1 UNION ALL SELECT b, p + 1 FROM r WHERE p < 20) SELECT ${spelled} FROM r, generate_series(0, 9) d WHERE ${is('b')}`,
  `SELECT ${spelled} FROM (SELECT substr(body, p, 1) AS c, p FROM notes, generate_series(5, 20) p WHERE id = 1 UNION ALL SELECT 'x', 0) q, generate_series(0, 9) d WHERE c = d::text`,
  // What has changed while it ran.
  `SELECT ${spelled} FROM (SELECT p, d, random() AS r FROM ${series}) s, LATERAL (SELECT body FROM notes WHERE id = 1 AND s.r >= 0) n WHERE ${is('n.body')}`,
];

/** Several values that were put into one, and taken apart again behind what makes of them one row. */
const BUNDLED: readonly string[] = [
  '(SELECT p, ROW(n.body, p)::pair AS x FROM notes n, generate_series(5, 20) p WHERE n.id = 1 UNION ALL SELECT NULL, NULL)',
  '(SELECT p, lag(ROW(n.body, p)::pair, 0) OVER () AS x FROM notes n, generate_series(5, 20) p WHERE n.id = 1)',
  '(SELECT p, first_value(ROW(n.body, p)::pair) OVER (PARTITION BY p) AS x FROM notes n, generate_series(5, 20) p WHERE n.id = 1)',
  '(SELECT p, (array_agg(ROW(n.body, p)::pair))[1] AS x FROM notes n, generate_series(5, 20) p WHERE n.id = 1 GROUP BY p)',
  '(SELECT generate_series(5, 20) AS p, unnest(ARRAY(SELECT ROW(n.body, p)::pair FROM generate_series(5, 20) p)) AS x FROM notes n WHERE n.id = 1)',
  '(SELECT p, x FROM notes n, generate_series(5, 20) p, LATERAL (VALUES (ROW(n.body, p)::pair)) v (x) WHERE n.id = 1)',
  '(SELECT p, ROW((q).a, (q).b)::pair AS x FROM generate_series(5, 20) p, LATERAL (SELECT (array_agg(q))[1] AS q FROM (SELECT ROW(body, p)::pair AS q FROM notes WHERE id = 1) w) v)',
  '(WITH RECURSIVE r (p, x) AS (SELECT 5, ROW(body, 5)::pair FROM notes WHERE id = 1 UNION ALL SELECT p + 1, ROW((x).a, (x).b + 1)::pair FROM r WHERE p < 20) SELECT p, x FROM r)',
  '(SELECT p, ROW(x[1], x[2])::pair AS x FROM (SELECT p, lag(ARRAY[n.body, p::text], 0) OVER () AS x FROM notes n, generate_series(5, 20) p WHERE n.id = 1) q)',
  '(SELECT p, ROW(x[1], x[2])::pair AS x FROM (SELECT p, array_agg(b ORDER BY k) AS x FROM generate_series(5, 20) p, LATERAL (SELECT body AS b, 1 AS k FROM notes WHERE id = 1 UNION ALL SELECT p::text, 2) s GROUP BY p) q)',
].map(
  (source) =>
    `SELECT string_agg(p::text, ',' ORDER BY p) FROM ${source} q WHERE substr((x).a, (x).b, 1) = '4'`,
);

/** One row for each set that it is grouped by: what is NULL tells which. */
const SETS: readonly string[] = [
  `SELECT string_agg(g || '', ',') FROM (SELECT GROUPING(n, id, at) AS g FROM notes WHERE id = 1 GROUP BY body, CUBE (n, id, at) HAVING substr(body, 5 + CASE WHEN n IS NULL THEN 4 ELSE 0 END + CASE WHEN id IS NULL THEN 2 ELSE 0 END + CASE WHEN at IS NULL THEN 1 ELSE 0 END, 1) = '5') q`,
  `SELECT string_agg(g || '', ',') FROM (SELECT body AS b, n, id, at, GROUPING(n, id, at) AS g FROM notes WHERE id = 1 GROUP BY body, CUBE (n, id, at)) q WHERE substr(b, 5 + CASE WHEN n IS NULL THEN 4 ELSE 0 END + CASE WHEN id IS NULL THEN 2 ELSE 0 END + CASE WHEN at IS NULL THEN 1 ELSE 0 END, 1) = '5'`,
  `SELECT string_agg(g || '', ',') FROM (SELECT GROUPING(n, id, at) AS g, EXISTS (SELECT 1 WHERE substr(m.body, 5 + CASE WHEN m.n IS NULL THEN 4 ELSE 0 END + CASE WHEN m.id IS NULL THEN 2 ELSE 0 END + CASE WHEN m.at IS NULL THEN 1 ELSE 0 END, 1) = '5') AS e FROM notes m WHERE id = 1 GROUP BY body, CUBE (n, id, at)) q WHERE e`,
];

/** A series that is compared with whole values without a sign of equality, or counts as something that was written. */
const SERIES = 'generate_series(4539578763621480, 4539578763621489)';
const less = 's - 4539578763621480';
const COMPARED: readonly string[] = [
  `SELECT ${less} FROM ${SERIES} s JOIN notes ON code = s::text`,
  `SELECT ${less} FROM ${SERIES} s WHERE EXISTS (SELECT s::text INTERSECT SELECT code::text FROM notes)`,
  `SELECT ${less} FROM ${SERIES} s WHERE NOT EXISTS (SELECT s::text EXCEPT SELECT code::text FROM notes)`,
  `SELECT ${less} FROM ${SERIES} s WHERE (SELECT count(*) FROM (SELECT s::text UNION SELECT code::text FROM notes WHERE id = 1) q) = 1`,
  `SELECT max(k) FROM (SELECT ${less} AS k, s::text AS x FROM ${SERIES} s UNION ALL SELECT NULL, code::text FROM notes) q GROUP BY x HAVING count(*) > 1`,
  `SELECT k FROM (SELECT k, count(*) OVER (PARTITION BY x) AS c FROM (SELECT ${less} AS k, s::text AS x FROM ${SERIES} s UNION ALL SELECT NULL, code::text FROM notes) q) w WHERE c > 1 AND k IS NOT NULL`,
  `SELECT ${less} FROM ${SERIES} s WHERE (SELECT count(DISTINCT x) FROM (SELECT s::text AS x UNION ALL SELECT code::text FROM notes WHERE id = 1) q) = 1`,
  `SELECT q.k FROM (SELECT ${less} AS k, lag(n.title, 100, s::text) OVER () AS x FROM ${SERIES} s, notes n WHERE n.id = 1) q JOIN notes c ON c.code::text = q.x`,
  `SELECT u - 1 FROM unnest(array_positions(array_fill(1, ARRAY[10]), 1)) u JOIN notes ON code = (4539578763621479 + u)::text`,
  `WITH RECURSIVE r (x, k) AS (SELECT code::text, -1 FROM notes WHERE id = 1 UNION ALL SELECT s::text, (${less})::int FROM r, ${SERIES} s WHERE k = -1) CYCLE x SET c USING w SELECT k FROM r WHERE c`,
];

const MOVES = Array.from({ length: 16 }, (_, at) => at + 5)
  .map((p) => `WHEN ${p} THEN set_config('application_name', '${p}', false)`)
  .join(' ');

export const SPELLED: readonly (string | Taking)[] = [
  ...JOINED,
  ...BUNDLED.map((sql): Taking => ({ steps: [sql], told: /^DataRow 5,18$/ })),
  ...SETS.map((sql): Taking => ({ steps: [sql], told: /^DataRow (1,4|4,1)$/ })),
  ...COMPARED.map((sql): Taking => ({ steps: [sql], told: /^DataRow 6$/ })),
  {
    steps: [
      "WITH RECURSIVE r (c, p) AS (SELECT '5', 0 UNION ALL SELECT substr(n.body, p + 1, 1), p + 1 FROM r, notes n WHERE n.id = 1 AND p < 20) CYCLE c SET z USING q SELECT max(p) FROM r",
    ],
    told: /^DataRow 6$/,
  },
  {
    case: 'a setting that is another for each row',
    steps: [
      `SELECT string_agg(p::text, ',') FROM (SELECT p, (SELECT count(*) FROM notes WHERE id = 1 AND moved IS NOT NULL AND substr(body, current_setting('application_name')::int, 1) = '4') AS c FROM (SELECT p, CASE p ${MOVES} END AS moved FROM generate_series(5, 20) p OFFSET 0) s) q WHERE c = 1`,
    ],
    told: /^DataRow 5,18$/,
  },
];
