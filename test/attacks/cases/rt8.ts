import {
  bind,
  copyData,
  copyDone,
  execute,
  parse,
  query,
  type RawClient,
  sync,
} from '../../support/postgres/raw-client.ts';
import { ATTACK_COLUMNS, ATTACK_FIXTURE } from '../../support/stack.ts';
import { type Attack, type AttackGroup, act, actBy, same } from '../attack.ts';

const SEE = `
@id("all") permit (principal, action, resource);
@id("pii-is-masked") @mask("partial") forbid (principal, action == Action::"reveal", resource is Column)
when { resource.tags.contains("pii") };`;

/** As the starter policies have it. */
const NOT_OVERWRITTEN = `${SEE}
@id("masked-values-are-not-overwritten")
forbid (principal, action in Action::"sql.write", resource) when { context.writesMasked };`;

/** Rules by name and by tag, for one who sees everything. */
const BY_NAME = `
@id("all") permit (principal, action, resource);
@id("emails") forbid (principal, action in [Action::"sql.write", Action::"sql.ddl"], resource)
when { context.columns.contains("public.customers.email") };
@id("ids") forbid (principal, action in [Action::"sql.write", Action::"sql.ddl"], resource)
when { context.columnTags.contains("pii.national-id") };`;

const FIXTURE = `${ATTACK_FIXTURE}
CREATE SCHEMA app; GRANT USAGE ON SCHEMA app TO hoop;
CREATE VIEW v_write AS SELECT id, name, email FROM customers;
CREATE VIEW v_renamed AS SELECT id, email AS name FROM customers;
CREATE VIEW v_over AS SELECT id, name FROM v_renamed;
CREATE VIEW v_plain AS SELECT id, name FROM customers;
CREATE TABLE base (id int PRIMARY KEY, email text);
CREATE TABLE base_child () INHERITS (base);
CREATE TABLE log (id int, email text) PARTITION BY RANGE (id);
CREATE TABLE log_1 PARTITION OF log FOR VALUES FROM (0) TO (1000);
CREATE TABLE addresses (email text PRIMARY KEY);
CREATE TABLE letters (id int, email text REFERENCES addresses ON UPDATE CASCADE ON DELETE SET NULL);
CREATE TYPE person AS (email text, phone text);
CREATE TABLE cards (id int PRIMARY KEY, who person, numbers text[]);
CREATE TABLE app.customers (id int PRIMARY KEY, email text);
GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON ALL TABLES IN SCHEMA public, app TO hoop;
ALTER TABLE customers OWNER TO hoop;
`;

const COLUMNS = {
  ...ATTACK_COLUMNS,
  'public.base_child.email': ['pii.email'],
  'public.log.email': ['pii.email'],
  'public.addresses.email': ['pii.email'],
  'public.letters.email': ['pii.email'],
  'public.cards.who': ['pii'],
  'public.cards.numbers': ['pii.card'],
  'app.customers.email': ['pii.email'],
};

const RESET = `TRUNCATE customers, orders, base, log, letters, addresses, cards, app.customers;
ALTER TABLE customers ALTER COLUMN email DROP DEFAULT;
INSERT INTO customers VALUES (1, 'Ann', 'ann@example.com', '123-45-6789', 'tea'), (2, 'Bob', 'bob@example.com', '987-65-4320', 'x');
INSERT INTO base_child VALUES (1, 'c@example.com'); INSERT INTO log VALUES (1, 'l@example.com');
INSERT INTO addresses VALUES ('a@example.com'); INSERT INTO letters VALUES (1, 'a@example.com');
INSERT INTO cards VALUES (1, ('p@example.com', '+1'), '{a,b}'); INSERT INTO app.customers VALUES (1, 'x@example.com')`;

/** What is masked, and nothing else. */
const EFFECT = `SELECT (SELECT string_agg(email || ssn, ',' ORDER BY id) FROM customers),
  (SELECT string_agg(coalesce(email, '-'), ',' ORDER BY id) FROM base),
  (SELECT string_agg(coalesce(email, '-'), ',') FROM log),
  (SELECT string_agg(coalesce(email, '-'), ',') FROM letters), (SELECT string_agg(email, ',') FROM addresses),
  (SELECT string_agg(who::text || numbers::text, ',') FROM cards),
  (SELECT string_agg(email, ',') FROM app.customers),
  (SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef WHERE adrelid = 'customers'::regclass)`;

function write(what: string, ...steps: readonly string[]): Attack {
  return act({ case: what, steps, effect: EFFECT, reset: RESET });
}

function messages(what: string, send: (client: RawClient) => Promise<unknown>): Attack {
  return actBy({ case: what, send, effect: EFFECT, reset: RESET });
}

function honest(what: string, ...steps: readonly string[]): Attack {
  return same({ case: what, steps, reset: RESET });
}

/** Ways to give a value to an e-mail address of a customer, or to one's number. */
const WRITES: readonly Attack[] = [
  write('UPDATE', "UPDATE customers SET email = 'evil@x.cc' WHERE id = 1"),
  write(
    'UPDATE by an alias and quoted names',
    `UPDATE ONLY "customers" AS c SET "email" = c.name || '@x.cc'`,
  ),
  write('UPDATE of a row', "UPDATE customers SET (name, email) = ('x', 'evil@x.cc')"),
  write('UPDATE of a row by a subquery', "UPDATE customers SET (email) = (SELECT 'evil@x.cc') WHERE id = 1"),
  write('UPDATE to the default', 'UPDATE customers SET ssn = DEFAULT'),
  write('UPDATE by a join', "UPDATE customers c SET email = 'e@x.cc' FROM customers d WHERE d.id = c.id"),
  write(
    'ON CONFLICT DO UPDATE',
    "INSERT INTO customers (id, name) VALUES (1, 'x') ON CONFLICT (id) DO UPDATE SET email = 'e@x.cc'",
  ),
  write('INSERT without a list', "INSERT INTO customers VALUES (3, 'C', 'c@x.cc', '1', 'n')"),
  write(
    'INSERT of a SELECT',
    'INSERT INTO customers (id, email, ssn) SELECT id + 10, name, name FROM customers',
  ),
  write(
    'MERGE that updates',
    "MERGE INTO customers c USING (VALUES (1)) v(i) ON c.id = v.i WHEN MATCHED THEN UPDATE SET email = 'e@x.cc'",
  ),
  write(
    'MERGE that inserts without a list',
    "MERGE INTO customers c USING (VALUES (9)) v(i) ON c.id = v.i WHEN NOT MATCHED THEN INSERT VALUES (9, 'n', 'e@x.cc', '9', 'x')",
  ),
  write(
    'a CTE, behind one that may',
    "WITH a AS (UPDATE customers SET email = 'e@x.cc' RETURNING id) UPDATE customers SET note = 'y' WHERE id = 7",
  ),
  write(
    'the last of several',
    'BEGIN',
    "UPDATE customers SET note = 'y'",
    'UPDATE customers SET ssn = id::text',
    'COMMIT',
  ),
  write('PREPARE and EXECUTE', 'PREPARE p(text) AS UPDATE customers SET email = $1', "EXECUTE p('e@x.cc')"),
  write('EXPLAIN ANALYZE', "EXPLAIN ANALYZE UPDATE customers SET email = 'e@x.cc'"),
  write('a view', "UPDATE v_write SET email = 'e@x.cc'"),
  write('a view that renames', "UPDATE v_renamed SET name = 'e@x.cc'"),
  write('a view over a view', "UPDATE v_over SET name = 'e@x.cc' WHERE id = 1"),
  messages('COPY without a list', (client) =>
    client.ask(query('COPY customers FROM STDIN'), copyData('5\tE\te@x.cc\t5\tn\n'), copyDone),
  ),
  messages('COPY of the column alone', (client) =>
    client.ask(query('COPY customers (id, ssn, email) FROM STDIN'), copyData('5\t5\te@x.cc\n'), copyDone),
  ),
  messages('a parameter', (client) =>
    client.ask(
      parse('', 'UPDATE customers SET email = $1 WHERE id = $2'),
      bind('', '', { values: ['e@x.cc', '1'] }),
      execute(''),
      sync,
    ),
  ),
  messages('one string of several', (client) =>
    client.ask(query("SELECT 1; UPDATE customers SET email = 'e@x.cc'; SELECT 2")),
  ),
];

/** Masked columns that are written. */
export const RT8: readonly AttackGroup[] = [
  {
    id: 'RT8',
    scenario: { policy: NOT_OVERWRITTEN, sql: FIXTURE, columns: COLUMNS },
    attacks: [
      ...WRITES,
      write('a parent of the masked table', "UPDATE base SET email = 'e@x.cc'"),
      write('a partition of the masked table', "UPDATE log_1 SET email = 'e@x.cc'"),
      write('a key that a foreign key carries on', "UPDATE addresses SET email = 'e@x.cc'"),
      write('a key that a foreign key empties', 'DELETE FROM addresses'),
      write('an element of an array', "UPDATE cards SET numbers[1] = 'z'"),
      write('a field of a composite', "UPDATE cards SET who.phone = '+2'"),
      write('the table of another schema', "UPDATE app.customers SET email = 'e@x.cc'"),
      write('a default', "ALTER TABLE customers ALTER COLUMN email SET DEFAULT 'e@x.cc'"),
      honest('what is not masked', "UPDATE customers SET name = 'Anne', note = 'y' WHERE id = 1"),
      honest('a new row without it', "INSERT INTO customers (id, name) VALUES (7, 'G') RETURNING id, name"),
      honest('a view of what is not masked', "UPDATE v_plain SET name = 'G' WHERE id = 1"),
      honest('rows that go', 'DELETE FROM customers WHERE id = 2'),
    ],
  },
  {
    id: 'RT8',
    scenario: { policy: BY_NAME, sql: FIXTURE, columns: COLUMNS },
    attacks: [
      ...WRITES,
      write(
        'a default, by a rule on changes of the schema',
        "ALTER TABLE customers ALTER email SET DEFAULT 'e@x.cc'",
      ),
      honest(
        'what no rule is about',
        "UPDATE app.customers SET email = 'x' WHERE id = 1",
        'UPDATE cards SET id = 2',
      ),
    ],
  },
  {
    id: 'RT8',
    scenario: { policy: SEE, sql: FIXTURE, columns: COLUMNS },
    attacks: [
      write('a mask written back', "UPDATE customers SET email = 'a***@e***.com' WHERE id = 1"),
      write(
        'a mask written back by EXECUTE',
        'PREPARE p(text) AS UPDATE customers SET ssn = $1 WHERE id = 1',
        "EXECUTE p('***6789')",
      ),
      write(
        'a mask written back after the same with a value',
        "UPDATE customers SET email = '***' WHERE id = 1",
      ),
      write('a mask in a text of its own', 'UPDATE customers SET email = $x$a***$x$ WHERE id = 1'),
      messages('a mask written back as a parameter', (client) =>
        client.ask(
          parse('', 'UPDATE customers SET email = $1 WHERE id = 1'),
          bind('', '', { values: ['a***@e***.com'] }),
          execute(''),
          sync,
        ),
      ),
      honest('a value that is no mask', "UPDATE customers SET email = 'new@example.com' WHERE id = 1"),
      honest('stars where nothing is masked', "UPDATE customers SET note = '***' WHERE id = 1 /* *** */"),
    ],
  },
];
