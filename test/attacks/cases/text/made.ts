/** What SQL makes of a text, and shows at once. */
import type { Taking } from './world.ts';

const of = (expression: string) => `SELECT ${expression} FROM notes WHERE id = 1`;
const from18 = (steps: readonly string[]): Taking[] => steps.map((sql) => ({ steps: [sql], majors: [18] }));

/** Functions and operators, however they are called. */
const CALLED: readonly string[] = [
  'reverse(body)',
  'pg_catalog.reverse(code)',
  'reverse(alias)',
  'reverse(title COLLATE "C")',
  '<<~ body',
  'OPERATOR(public.<<~) body',
  "reverse(body) OPERATOR(pg_catalog.||) ''",
  "format('%s', VARIADIC ARRAY[reverse(body)])",
  "concat(VARIADIC string_to_array(reverse(body), 'x'))",
  'turn(body)',
  'turn(VARIADIC ARRAY[body])',
  "overlay(reverse(body) PLACING '' FROM 1 FOR 1)",
  "trim(BOTH 'won ' FROM reverse(body))",
  "lpad(reverse(body), 99, '*')",
  "regexp_replace('x', 'x', reverse(body))",
  "(regexp_match(reverse(body), '.*'))[1]",
  "translate(body, '0123456789', '1234567890')",
  "encode(octets, 'hex') || ' .'",
  "encode(body::bytea, 'hex') || ' .'",
  "encode(body::bytea, 'base64') || ' .'",
  "decode(encode(reverse(body)::bytea, 'hex'), 'hex')",
  'reverse(array_to_string(tags, $$$$))',
  'public.initials(reverse(body)) || reverse(body)',
  'quote_literal(reverse(body))',
  "reverse(doc->>'a')",
  "reverse(raw #>> '{a}')",
  "reverse(doc['a']::text)",
  "reverse(jsonb_path_query_first(doc, '$.a')::text)",
  "jsonb_path_query_first('{}', '$x', jsonb_build_object('x', reverse(body)))",
  'json_build_array(VARIADIC ARRAY[reverse(body)])',
  'row_to_json(ROW(reverse(body)))',
  "ts_headline(reverse(body), 'x'::tsquery)",
  "to_tsvector('simple', reverse(body))",
  'xmlserialize(CONTENT xmlelement(name a, reverse(body)) AS text)',
  'xmlforest(reverse(body) AS a)',
  'xmlagg(xmlparse(CONTENT reverse(body)))',
  'xmlconcat(xmlcomment(reverse(body)))',
  "xpath('/a/text()', xmlparse(CONTENT '<a>' || reverse(body) || '</a>'))",
  "reverse((xpath('/a/text()', mark))[1]::text)",
  'turned_of(id)',
];

/** What stands around them. */
const AROUND: readonly string[] = [
  'array_agg(reverse(body))',
  "string_agg(reverse(body), '' ORDER BY id)",
  'max(reverse(body))',
  'mode() WITHIN GROUP (ORDER BY reverse(body))',
  'percentile_disc(0.5) WITHIN GROUP (ORDER BY reverse(body))',
  'first_value(reverse(body)) OVER ()',
  'lag(body, 9, reverse(body)) OVER ()',
  'CASE WHEN true THEN reverse(body) END',
  'CASE id WHEN 1 THEN reverse(body) END',
  'coalesce(NULL, reverse(body))',
  "nullif(reverse(body), '')",
  "greatest(reverse(body), '')",
  '(ARRAY[reverse(body)])[1:1]',
  '(ROW(reverse(body), 1)::pair).a',
  '(SELECT reverse(body))',
  'ARRAY(SELECT reverse(body))',
  'ROW(ROW(reverse(body)))',
  '(SELECT q FROM (SELECT reverse(body)) q)',
  'unnest(ARRAY[reverse(body)])',
];

const QUERIES: readonly string[] = [
  'SELECT * FROM notes n, reverse(n.body) r WHERE n.id = 1',
  "SELECT r FROM notes n, regexp_split_to_table(reverse(n.body), 'x') r WHERE id = 1",
  "SELECT r FROM notes n, LATERAL regexp_matches(reverse(n.body), '.*') r WHERE id = 1",
  'SELECT b FROM notes, LATERAL (VALUES (reverse(body))) v (b) WHERE id = 1',
  'SELECT b FROM notes n, LATERAL ROWS FROM (unnest(ARRAY[reverse(n.body)]), generate_series(1, 1)) u (b, g) WHERE id = 1',
  'WITH q AS MATERIALIZED (SELECT reverse(body) b FROM notes) SELECT b FROM q',
  "WITH RECURSIVE r (b, s) AS (SELECT body, '' FROM notes WHERE id = 1 UNION ALL SELECT substr(b, 2), left(b, 1) || s FROM r WHERE b <> '') SELECT s FROM r",
  'WITH RECURSIVE r (b) AS (SELECT reverse(body) FROM notes UNION ALL SELECT b FROM r WHERE false) SEARCH DEPTH FIRST BY b SET o SELECT o FROM r',
  'SELECT reverse(body) FROM notes UNION SELECT title FROM notes',
  "SELECT 'x' EXCEPT SELECT NULL UNION ALL SELECT reverse(body) FROM notes",
  'SELECT reverse(body) FROM notes GROUP BY GROUPING SETS ((body), ())',
  'SELECT reverse(body) FROM notes TABLESAMPLE SYSTEM (100)',
  'SELECT lower(reverse(n.body)) FROM ONLY notes n FETCH FIRST 5 ROWS ONLY',
  'VALUES ((SELECT reverse(body) FROM notes WHERE id = 1))',
  'TABLE turned',
  'SELECT body FROM turned',
  'SELECT body FROM kept',
  'SELECT turned FROM made',
  'SELECT * FROM turned_of(1)',
  "SELECT x FROM notes, XMLTABLE('/r/a' PASSING xmlparse(CONTENT '<r><a>' || reverse(body) || '</a></r>') COLUMNS x text PATH '.') WHERE id = 1",
  "SELECT x FROM notes, jsonb_to_record(jsonb_build_object('x', reverse(body))) AS r (x text) WHERE id = 1",
  "SELECT (jsonb_populate_record(NULL::pair, jsonb_build_object('a', reverse(body)))).a FROM notes WHERE id = 1",
];

/** SQL/JSON, and what else only newer servers have. */
const NEWER: readonly string[] = [
  of("JSON_OBJECT('a': reverse(body))"),
  of('JSON_ARRAY(reverse(body))'),
  of('JSON_ARRAYAGG(reverse(body))'),
  of("JSON_OBJECTAGG('k': reverse(body))"),
  of('JSON_SCALAR(reverse(body))'),
  of("JSON_SERIALIZE(JSON_OBJECT('a': reverse(body)) RETURNING text)"),
  of("JSON(('\"' || reverse(body) || '\"'))"),
  of("JSON_VALUE('{}', '$x' PASSING reverse(body) AS x)"),
  of("JSON_QUERY(jsonb_build_object('a', reverse(body)), '$.a')"),
  "SELECT a FROM notes, JSON_TABLE(jsonb_build_object('a', reverse(body)), '$' COLUMNS (a text PATH '$.a')) WHERE id = 1",
  "SELECT a FROM notes, JSON_TABLE('{}', '$' PASSING reverse(body) AS x COLUMNS (a text PATH '$x')) WHERE id = 1",
  of('reverse(body) COLLATE "pg_c_utf8"'),
  of('casefold(reverse(body))'),
  of("array_to_string(array_reverse(string_to_array(body, NULL)), '')"),
  of('any_value(reverse(body))'),
];

/** Of which a number comes, or a part. */
const PARTS: readonly Taking[] = [
  { steps: [of('ascii(substr(body, 5, 1))')], told: /^DataRow 52$/ },
  { steps: [of('get_byte(octets, 4)')], told: /^DataRow 52$/ },
  {
    steps: [of("('x' || encode(substr(body, 5, 4)::bytea, 'hex'))::bit(32)::int")],
    told: /^DataRow 875901753$/,
  },
  { steps: [of("to_number(body, 'XXXX9999')")], told: /^DataRow 4539$/ },
  { steps: [of("split_part(body, ' ', 2)::numeric / 2")], told: /^DataRow 2269789381810743/ },
  { steps: [of('left(body, 12)')], told: /45395787/ },
  { steps: [of('substr(body, 5, 8)')], told: /^DataRow 45395787$/ },
  { steps: [of("split_part(body, '3', 1)")], told: /^DataRow pay 45$/ },
  { steps: [of("string_to_array(body, '8')")], told: /45395/ },
  { steps: [of("length(replace(body, '5', ''))")], told: /^DataRow 22$/ },
  { steps: [of("position('39' IN body)")], told: /^DataRow 7$/ },
  { steps: [of("body LIKE 'pay 4539%'")], told: /^DataRow t$/ },
  { steps: [of("body ~ '4539'")], told: /^DataRow t$/ },
  { steps: [of("body > 'pay 4'")], told: /^DataRow t$/ },
  { steps: [of("(body, 1) < ('pay 4540', 1)")], told: /^DataRow t$/ },
  { steps: [of("body BETWEEN 'pay 4539' AND 'pay 4540'")], told: /^DataRow t$/ },
  { steps: [of("width_bucket(body, ARRAY['pay 3', 'pay 4', 'pay 5'])")], told: /^DataRow 2$/ },
  { steps: [of("hashtext(body) = hashtext('pay 4539578763621486 now')")], told: /^DataRow t$/ },
  { steps: ["SELECT rank('pay 5') WITHIN GROUP (ORDER BY body) FROM notes"], told: /^DataRow 3$/ },
  { steps: ["SELECT sum((body LIKE '%4539%')::int) FROM notes"], told: /^DataRow 1$/ },
  { steps: [of('pg_column_size(rpad($$$$, ascii(substr(body, 5, 1))))')], told: /^DataRow 56$/ },
];

/** Bounds, numbers of rows and their order. */
const ROWS: readonly Taking[] = [
  {
    steps: [
      'SELECT g FROM generate_series(1, 99) g LIMIT (SELECT ascii(substr(body, 5, 1)) FROM notes WHERE id = 1)',
    ],
    told: /^DataRow 52$/,
  },
  {
    steps: [
      'SELECT g FROM generate_series(1, 99) g OFFSET (SELECT ascii(substr(body, 5, 1)) - 1 FROM notes WHERE id = 1) LIMIT 1',
    ],
    told: /^DataRow 52$/,
  },
  {
    steps: ['SELECT count(*) FROM notes, generate_series(1, ascii(substr(body, 5, 1))) WHERE id = 1'],
    told: /^DataRow 52$/,
  },
  {
    steps: [
      'SELECT max(c) FROM (SELECT count(*) OVER (ORDER BY g ROWS BETWEEN CURRENT ROW AND (SELECT ascii(substr(body, 5, 1)) FROM notes WHERE id = 1) FOLLOWING) c FROM generate_series(1, 99) g) q',
    ],
    told: /^DataRow 53$/,
  },
  {
    steps: [
      'SELECT g FROM generate_series(0, 9) g ORDER BY g::text = (SELECT substr(body, 5, 1) FROM notes WHERE id = 1) DESC LIMIT 1',
    ],
    told: /^DataRow 4$/,
  },
  {
    steps: [
      'SELECT array_agg(g ORDER BY g::text <> (SELECT substr(body, 5, 1) FROM notes WHERE id = 1), g) FROM generate_series(0, 9) g',
    ],
    told: /\{4,0/,
  },
  {
    steps: ['SELECT DISTINCT ON (substr(body, 5, 1)) substr(body, 5, 1) FROM notes ORDER BY 1'],
    told: /^DataRow 4$/,
  },
  {
    steps: [
      'SELECT x FROM (SELECT substr(body, 5, 1) AS x FROM notes INTERSECT SELECT g::text FROM generate_series(0, 9) g) q',
    ],
    told: /^DataRow 4$/,
  },
];

export const MADE: readonly (string | Taking)[] = [
  ...CALLED.map(of),
  ...AROUND.map(of),
  ...QUERIES,
  ...from18(NEWER),
  ...PARTS,
  ...ROWS,
];
