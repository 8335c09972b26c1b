/** RT19: definitions of views and rules, and the system's catalogs in which other people's data stands. */
import { type Attack, type AttackGroup, leak, refused, same } from '../../attack.ts';

const POLICY = `
@id("all") permit (principal, action, resource);
@id("hidden") @mask("redact") forbid (principal, action == Action::"reveal", resource is Column) when { resource.tags.contains("pii") };
`;

const SSN = '123-45-6789';
const PASSWORD = 'hunter2-hunter2';

/** Somebody who sees everything has written values into definitions, and passwords where the server keeps them. */
const FIXTURE = `
CREATE TABLE customers (id int PRIMARY KEY, name text, ssn text, status text);
INSERT INTO customers VALUES (1, 'Ann', '${SSN}', 'new'), (2, 'Bo', '987-65-4321', 'new');
INSERT INTO customers SELECT 2 + n, 'Ann', '${SSN}', 'old' FROM generate_series(1, 50) n;
CREATE TABLE orders (id int PRIMARY KEY, note text, status text);
INSERT INTO orders VALUES (1, 'tea', 'new');
CREATE TABLE log (line text);
CREATE TABLE "odd ""na'me" () INHERITS (customers);
CREATE FUNCTION find(text) RETURNS int LANGUAGE plpgsql STABLE AS 'BEGIN RETURN (SELECT id FROM public.customers WHERE ssn = $1); END';
CREATE VIEW vip AS SELECT id, name FROM customers WHERE ssn = '${SSN}';
CREATE VIEW renamed AS SELECT c.a FROM customers c (a, b, d) WHERE c.d = '${SSN}';
CREATE VIEW below AS WITH s AS (SELECT id, ssn AS other FROM customers) SELECT id FROM s WHERE other = '${SSN}';
CREATE VIEW listed AS SELECT c.id FROM customers c JOIN (VALUES ('${SSN}')) v (x) ON c.ssn = v.x;
CREATE VIEW within AS SELECT id FROM orders o WHERE EXISTS (SELECT FROM customers c WHERE c.id = o.id AND c.ssn LIKE '${SSN}%');
CREATE VIEW over AS SELECT id FROM vip WHERE name <> '${SSN}';
CREATE VIEW named AS SELECT id FROM "odd ""na'me" WHERE ssn = '${SSN}';
CREATE VIEW called AS SELECT find('${SSN}') AS id;
CREATE MATERIALIZED VIEW kept AS SELECT id FROM customers WHERE ssn = '${SSN}';
CREATE VIEW plain AS SELECT id, 'it''s' AS kind FROM orders WHERE status = 'new' AND id < 42;
CREATE RULE noted AS ON UPDATE TO customers WHERE NEW.ssn = '${SSN}' DO ALSO INSERT INTO log VALUES ('${SSN}');
CREATE RULE counted AS ON INSERT TO orders WHERE EXISTS (SELECT FROM customers WHERE ssn = '${SSN}') DO ALSO INSERT INTO log VALUES ('counted');
CREATE FOREIGN DATA WRAPPER w;
CREATE SERVER far FOREIGN DATA WRAPPER w OPTIONS (host 'example.org', key '${PASSWORD}');
CREATE USER MAPPING FOR PUBLIC SERVER far OPTIONS (password '${PASSWORD}');
CREATE SUBSCRIPTION fed CONNECTION 'host=example.org password=${PASSWORD}' PUBLICATION p WITH (connect = false);
ANALYZE;
`;

const COLUMNS = { 'public.customers.ssn': ['pii'] };

const VIEWS = ['vip', 'renamed', 'below', 'listed', 'within', 'over', 'named', 'called', 'kept'];
const RULES = ['noted', 'counted'];

const shows = (secret: string, ...all: readonly (string | readonly string[])[]): Attack[] =>
  all.map((one) => {
    const steps = typeof one === 'string' ? [one] : one;
    return leak({ case: steps.join('; '), steps, secret });
  });
const asks = (...statements: readonly string[]): Attack[] =>
  statements.map((sql) => refused({ case: sql, steps: [sql] }));
const answers = (...statements: readonly string[]): Attack[] =>
  statements.map((sql) => same({ case: `as directly: ${sql}`, steps: [sql] }));

const ruleOf = (name: string) => `(SELECT oid FROM pg_rewrite WHERE rulename = '${name}')`;

/** Each by each way in which the server writes it out. */
const WRITTEN_OUT = [
  ...VIEWS.flatMap((name) => [
    `SELECT pg_get_viewdef('${name}'::regclass)`,
    `SELECT definition FROM ${name === 'kept' ? 'pg_matviews WHERE mat' : 'pg_views WHERE '}viewname = '${name}'`,
  ]),
  ...RULES.flatMap((name) => [
    `SELECT pg_get_ruledef(${ruleOf(name)})`,
    `SELECT definition FROM pg_rules WHERE rulename = '${name}'`,
  ]),
  "SELECT pg_get_viewdef('vip')",
  "SELECT pg_get_viewdef('vip'::regclass, 20)",
  "SELECT view_definition FROM information_schema.views WHERE table_name = 'vip'",
  "SELECT * FROM pg_views WHERE viewname = 'vip'",
  "SELECT c.relname, CASE WHEN c.relkind = 'v' THEN pg_get_viewdef(c.oid, true) END FROM pg_class c WHERE relname = 'vip'",
  `SELECT trim(trailing ';' from pg_get_ruledef(${ruleOf('noted')}, true))`,
  "WITH r AS (SELECT oid, pg_get_viewdef(oid) AS d FROM pg_class WHERE relname = 'vip') SELECT d FROM r JOIN pg_class USING (oid)",
  "SELECT (SELECT definition FROM pg_views WHERE viewname = 'vip')",
  "SELECT coalesce(pg_get_viewdef('vip'::regclass), 'none')::varchar",
  "SELECT pg_get_viewdef('plain'::regclass) UNION ALL SELECT pg_get_viewdef('vip'::regclass)",
];

/** What is made of one is hidden, or the statement refused. */
const MADE_OF_THEM = [
  "SELECT upper(pg_get_viewdef('vip'::regclass))",
  "SELECT substring(pg_get_viewdef('vip'::regclass) FROM '[0-9]+-.*')",
  "SELECT regexp_replace(definition, 'customers', 'c', 'g') FROM pg_views WHERE viewname = 'vip'",
  "SELECT replace(d, 'customers', '') FROM (SELECT pg_get_viewdef('vip'::regclass) d) s",
  "SELECT ltrim(pg_get_viewdef('vip'::regclass), ' SELECTidnameFROMcustomers.,\n')",
  "SELECT rtrim(ltrim(pg_get_viewdef('vip'::regclass), ' SELECTidnameFROMcustomers.,\n'), ';')",
  "SELECT array_agg(definition) FROM pg_views WHERE viewname = 'vip'",
  "SELECT row(definition) FROM pg_views WHERE viewname = 'vip'",
  "SELECT v FROM pg_views v WHERE viewname = 'vip'",
  "SELECT to_jsonb(v) FROM pg_views v WHERE viewname = 'vip'",
  "SELECT string_to_table(pg_get_viewdef('vip'::regclass), ' ')",
  "SELECT d FROM string_to_table(pg_get_viewdef('vip'::regclass), ' ') d",
  "SELECT * FROM pg_get_viewdef('vip'::regclass)",
  "SELECT pg_get_viewdef('vip'::regclass)::bytea",
  "SELECT pg_get_viewdef('vip'::regclass)::char(500)",
  "SELECT quote_literal(pg_get_viewdef('vip'::regclass))",
  "SELECT pg_get_viewdef('vip'::regclass) || ''",
  "SELECT min(pg_get_viewdef(oid)) FROM pg_class WHERE relname = 'vip'",
  "SELECT pg_get_viewdef('vip'::regclass) UNION SELECT 'a'",
  "SELECT DISTINCT pg_get_viewdef('vip'::regclass)",
  "SELECT pg_get_viewdef('vip'::regclass) AS d ORDER BY d",
  "SELECT convert_from(decode(pg_get_viewdef('vip'::regclass), 'escape'), 'UTF8')",
  "INSERT INTO log SELECT pg_get_viewdef('vip'::regclass) RETURNING line",
  "INSERT INTO log SELECT definition FROM pg_views WHERE viewname = 'vip' RETURNING line",
  "UPDATE orders SET note = pg_get_viewdef('vip'::regclass) WHERE id = 1 RETURNING note",
  "COPY (SELECT pg_get_viewdef('vip'::regclass)) TO STDOUT",
  "COPY (SELECT definition FROM pg_views WHERE viewname = 'vip') TO STDOUT",
];

/** Later, by another statement. */
const STEPS: readonly (readonly string[])[] = [
  ["INSERT INTO log VALUES ('a')", "DELETE FROM log RETURNING pg_get_viewdef('vip'::regclass)"],
  ["PREPARE p AS SELECT pg_get_viewdef('vip'::regclass)", 'EXECUTE p'],
  ['BEGIN', "DECLARE c CURSOR FOR SELECT pg_get_viewdef('vip'::regclass)", 'FETCH c', 'ROLLBACK'],
  [
    'BEGIN',
    "DECLARE c CURSOR FOR SELECT definition FROM pg_views WHERE viewname = 'vip'",
    'FETCH c',
    'ROLLBACK',
  ],
  [
    'BEGIN',
    "CREATE VIEW mine AS SELECT pg_get_viewdef('vip'::regclass) AS d",
    'SELECT d FROM mine',
    'ROLLBACK',
  ],
  [
    'BEGIN',
    "CREATE VIEW mine AS SELECT definition AS d FROM pg_views WHERE viewname = 'vip'",
    'SELECT d FROM mine',
    'ROLLBACK',
  ],
  [
    'BEGIN',
    "CREATE TABLE mine AS SELECT pg_get_viewdef('vip'::regclass) AS d",
    'SELECT d FROM mine',
    'ROLLBACK',
  ],
  [
    'BEGIN',
    "CREATE TABLE mine AS SELECT definition AS d FROM pg_views WHERE viewname = 'vip'",
    'SELECT d FROM mine',
    'ROLLBACK',
  ],
  [
    'BEGIN',
    "CREATE TABLE mine (id int, d text DEFAULT pg_get_viewdef('vip'::regclass))",
    'INSERT INTO mine VALUES (1)',
    'SELECT d FROM mine',
    'ROLLBACK',
  ],
  // What a definition is made of by code that nobody reads.
  [
    'BEGIN',
    `DO $$ BEGIN EXECUTE format('CREATE VIEW made AS SELECT %L::text AS s', (SELECT ssn FROM customers WHERE id = 1)); END $$`,
    "SELECT pg_get_viewdef('made')",
    'ROLLBACK',
  ],
  [
    'BEGIN',
    `CREATE FUNCTION makes() RETURNS void LANGUAGE plpgsql AS $$ BEGIN EXECUTE format('CREATE VIEW made AS SELECT %L::text AS s', (SELECT ssn FROM customers WHERE id = 1)); END $$`,
    'SELECT makes()',
    "SELECT pg_get_viewdef('made')",
    'ROLLBACK',
  ],
];

/** Only whether a guess is right. */
const GUESSES = [
  `SELECT 1 WHERE pg_get_viewdef('vip'::regclass) LIKE '%${SSN}%'`,
  `SELECT 1 FROM pg_views WHERE definition LIKE '%${SSN}%'`,
  `SELECT relname FROM pg_class WHERE relkind = 'v' AND pg_get_viewdef(oid) ~ '^.*${SSN}'`,
  "SELECT 1 FROM generate_series(1, ascii(pg_get_viewdef('vip'::regclass)))",
  "SELECT 1 ORDER BY pg_get_viewdef('vip'::regclass)",
  "SELECT id FROM orders LIMIT length(pg_get_viewdef('vip'::regclass))",
  `EXPLAIN SELECT id FROM orders WHERE pg_get_viewdef('vip'::regclass) LIKE '%${SSN}%'`,
];

const SERVER = [
  "SELECT srvoptions FROM pg_foreign_server WHERE srvname = 'far'",
  'SELECT s.* FROM pg_foreign_server s',
  `SELECT srvname, CASE WHEN srvoptions IS NULL THEN '' ELSE '(' || array_to_string(ARRAY(SELECT quote_ident(option_name) || ' ' ||
    quote_literal(option_value) FROM pg_options_to_table(srvoptions)), ', ') || ')' END FROM pg_foreign_server`,
  "SELECT array_to_string(umoptions, ',') FROM pg_user_mappings",
  'SELECT umoptions FROM pg_user_mapping',
  'SELECT subname, subconninfo FROM pg_subscription',
  "SELECT split_part(subconninfo, 'password=', 2) FROM pg_subscription",
  'SELECT c FROM (SELECT subconninfo AS c FROM pg_subscription) s JOIN pg_database ON true WHERE datname = current_database()',
  'SELECT subconninfo FROM pg_subscription UNION ALL SELECT datname FROM pg_database',
  'SELECT (SELECT subconninfo FROM pg_subscription LIMIT 1)',
  // Nothing of these is known to be harmless.
  'SELECT upper(subconninfo), subconninfo FROM pg_subscription',
  'SELECT subconninfo::bytea FROM pg_subscription',
  'SELECT s FROM pg_subscription s',
  'SELECT to_jsonb(s) FROM pg_subscription s',
  'SELECT unnest(srvoptions) FROM pg_foreign_server',
  'SELECT o.option_value FROM pg_foreign_server, pg_options_to_table(srvoptions) o',
  'SELECT ARRAY(SELECT option_value FROM pg_options_to_table(srvoptions) ORDER BY 1) FROM pg_foreign_server',
  'SELECT DISTINCT subconninfo FROM pg_subscription',
  'SELECT subconninfo AS c FROM pg_subscription ORDER BY c',
  'COPY (SELECT subconninfo FROM pg_subscription) TO STDOUT',
];

const GUESSES_OF_SERVER = [
  "SELECT subname FROM pg_subscription WHERE subconninfo LIKE '%hunter2%'",
  "SELECT 1 / length(split_part(subconninfo, 'password=', 2)) FROM pg_subscription",
  "SELECT split_part(subconninfo, 'e', length(subconninfo)) FROM pg_subscription",
  "SELECT CASE WHEN subconninfo LIKE '%hunter2%' THEN 1 ELSE 2 END FROM pg_subscription",
  'SELECT generate_series(1, ascii(subconninfo)) FROM pg_subscription',
  "SELECT array_to_string(srvoptions, ',') AS o FROM pg_foreign_server ORDER BY o",
  "SELECT array_to_string(srvoptions, ',') AS o FROM pg_foreign_server GROUP BY o",
  "SELECT ARRAY(SELECT 1 FROM pg_options_to_table(srvoptions) WHERE option_value ~ '^h') FROM pg_foreign_server",
];

const SERVER_STEPS: readonly (readonly string[])[] = [
  ['BEGIN', 'DECLARE c CURSOR FOR SELECT subconninfo FROM pg_subscription', 'FETCH c', 'ROLLBACK'],
  ['PREPARE q AS SELECT subconninfo FROM pg_subscription', 'EXECUTE q'],
  [
    'BEGIN',
    'CREATE VIEW mine AS SELECT subconninfo AS c FROM pg_subscription',
    'SELECT c FROM mine',
    'ROLLBACK',
  ],
];

/** Where nothing of it is masked, nothing is another than directly. */
const HONEST = [
  "SELECT pg_get_viewdef('plain'::regclass)",
  "SELECT definition FROM pg_views WHERE viewname = 'plain'",
  "SELECT viewname, definition FROM pg_views WHERE schemaname = 'pg_catalog' AND viewname IN ('pg_tables', 'pg_roles')",
  "SELECT relname, pg_get_viewdef(oid, true) FROM pg_class WHERE relname = 'plain'",
  'SELECT srvname, srvtype, srvversion FROM pg_foreign_server',
  'SELECT subname, subenabled, subslotname FROM pg_subscription',
];

export const RT19: readonly AttackGroup[] = [
  {
    id: 'RT19',
    scenario: { policy: POLICY, sql: FIXTURE, columns: COLUMNS, superuser: true },
    attacks: [
      ...shows(SSN, ...WRITTEN_OUT, ...MADE_OF_THEM, ...STEPS),
      // As trees, octet by octet.
      ...shows(':constvalue', "SELECT ev_action FROM pg_rewrite WHERE ev_class = 'called'::regclass"),
      ...shows(
        ':constvalue',
        "SELECT upper(ev_qual::text), ev_action::text FROM pg_rewrite WHERE rulename = 'noted'",
      ),
      ...asks(...GUESSES, ...GUESSES_OF_SERVER),
      ...shows(PASSWORD, ...SERVER, ...SERVER_STEPS),
      ...shows(
        SSN,
        "SELECT most_common_vals FROM pg_stats WHERE tablename = 'customers' AND attname = 'ssn'",
      ),
      ...shows(SSN, "SELECT array_to_string(most_common_vals, ',') FROM pg_stats WHERE attname = 'ssn'"),
      ...answers(...HONEST),
    ],
  },
];
