/** PG-M20: pseudonyms are equal within a run and a domain, nowhere else, and nobody can find out whom one stands for. */
import { query, rawLogin } from '../../../support/postgres/raw-client.ts';
import { type Attack, type AttackGroup, FORMS, type Form, must, send } from '../../attack.ts';
import type { World } from '../../world.ts';

const EMAIL = 'ann@example.com';
const PHONE = '+31612345678';
const OTHERS = { repository: 'org/other' };
const ANON = /anon_[a-z0-9]{16}/g;

/**
 * All see everything of the first kind by pseudonyms. The agent reads alone; the other one may write telephone numbers, and e-mail
 * addresses under a condition that no statement of the test fulfils.
 */
const POLICY = `
@id("use") permit (principal, action in [Action::"connect", Action::"sql.read", Action::"sql.transaction", Action::"sql.set"], resource);
@id("show") permit (principal, action == Action::"reveal", resource);
@id("hide") @mask("pseudonym") forbid (principal, action == Action::"reveal", resource) when { resource.tags.contains("pii") };
@id("phones") permit (principal in Group::"others", action in [Action::"sql.insert", Action::"sql.update", Action::"sql.delete"], resource)
when { resource has name && resource.name == "phones" };
@id("notes") permit (principal in Group::"others", action == Action::"sql.update", resource)
when { resource has name && resource.name == "people" && context.columns == ["public.people.note"] };
`;

const SQL = `
CREATE TABLE customers (id int PRIMARY KEY, email text, key uuid, phone text, note text);
CREATE TABLE orders (id int PRIMARY KEY, customer text);
CREATE TABLE people (id int PRIMARY KEY, name text, note text);
CREATE TABLE phones (id int PRIMARY KEY, number text);
INSERT INTO customers VALUES (1, '${EMAIL}', 'deadbeef-dead-beef-dead-beefdeadbeef', '${EMAIL}', 'x'), (2, 'bob@example.com', gen_random_uuid(), '1', 'y');
INSERT INTO orders VALUES (1, '${EMAIL}'), (2, 'bob@example.com'), (3, '${EMAIL}');
INSERT INTO people VALUES (1, 'Ann', 'n');
INSERT INTO phones VALUES (1, '${PHONE}');
CREATE VIEW all_of AS SELECT email FROM customers UNION ALL SELECT number FROM phones;
CREATE VIEW one AS SELECT email FROM customers;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO hoop;
`;

const COLUMNS = {
  'public.customers.email': ['pii.email'],
  'public.customers.key': ['pii.key'],
  'public.customers.phone': ['pii.other'],
  'public.orders.customer': ['pii.email'],
  'public.people.name': ['pii.name'],
  'public.phones.number': ['pii.phone'],
};

interface Who {
  readonly run?: string;
  readonly claims?: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
}

/** Rows of statements, values joined by `|`. */
type Ask = (form: Form, ...steps: readonly string[]) => Promise<string[]>;

/** With a tunnel of its own; each time on a session of its own. */
async function asking<T>(world: World, who: Who, use: (ask: Ask) => Promise<T>): Promise<T> {
  const { run, claims = {}, args = [] } = who;
  const env = { ...world.stack.env(claims), ...(run === undefined ? {} : { HOOP_RUN_ID: run }) };
  const tunnel = await world.stack.tunnel(args, env);
  const ask: Ask = async (form, ...steps) => {
    const client = await rawLogin(tunnel);
    const lines: string[] = [];
    for (const sql of steps) lines.push(...(await send(client, sql, form)));
    client.close();
    return lines
      .filter((one) => /^(DataRow|ErrorResponse)/.test(one))
      .map((one) => one.replace('DataRow ', ''));
  };
  try {
    return await use(ask);
  } finally {
    await tunnel.close();
  }
}

/** Of one session. */
function rowsOf(world: World, who: Who, form: Form, ...steps: readonly string[]): Promise<string[]> {
  return asking(world, who, (ask) => ask(form, ...steps));
}

async function direct(world: World, ...steps: readonly string[]): Promise<string[]> {
  const client = await world.direct();
  const lines: string[] = [];
  for (const sql of steps) lines.push(...(await client.ask(query(sql))));
  return lines.filter((one) => one.startsWith('DataRow')).map((one) => one.slice('DataRow '.length));
}

const CUSTOMERS = 'SELECT email FROM customers ORDER BY id';
const READER: Who = { run: 'night-1' };

const equality: Attack[] = [
  {
    case: 'equal values are equal within a run, over sessions and tables of one domain, in text and in binary',
    run: async (world) => {
      const orders = 'SELECT customer FROM orders ORDER BY id';
      const plain = await direct(world, CUSTOMERS, orders);
      must(plain.join() === `${EMAIL},bob@example.com,${EMAIL},bob@example.com,${EMAIL}`, 'dead');
      const again = await rowsOf(world, READER, 'simple', CUSTOMERS);
      await asking(world, READER, async (ask) => {
        for (const form of FORMS) {
          const [ann, bob, ...more] = await ask(form, CUSTOMERS, orders);
          must(ann !== bob && ann?.match(ANON)?.length === 1, `no pseudonyms: ${ann}, ${bob}`);
          must(more.join() === [ann, bob, ann].join(), `not the same: ${more.join()}`);
          must(again.join() === [ann, bob].join(), `another in another session: ${again.join()}`);
        }
      });
    },
  },
  {
    case: 'another run, another agent, another domain: other pseudonyms of the same value',
    run: async (world) => {
      const sql = 'SELECT email, phone FROM customers WHERE id = 1';
      must((await direct(world, sql)).join() === `${EMAIL}|${EMAIL}`, 'dead: the values differ');
      const seen = new Set<string>();
      for (const who of [READER, { run: 'night-2' }, { run: 'night-1', claims: OTHERS }, {}]) {
        const [row = ''] = await rowsOf(world, who, 'simple', sql);
        const found = row.match(ANON) ?? [];
        must(found.length === 2, `no pseudonyms: ${row}`);
        for (const one of found) {
          must(!seen.has(one), `the same twice: ${one}`);
          seen.add(one);
        }
      }
    },
  },
  {
    case: 'a UUID becomes one that nobody takes for a true one, the same in text and in binary',
    run: async (world) => {
      const [text = ''] = await rowsOf(world, READER, 'simple', 'SELECT key FROM customers WHERE id = 1');
      must(/^ffffffff-.{4}-8.{3}-[89ab].{3}-.{12}$/.test(text), text);
    },
  },
];

/** What is shown of a guess must not be what is shown of the value, though the server itself shows them alike. */
function guess(what: string, who: Who, known: string, steps: readonly string[], secret = EMAIL): Attack {
  return {
    case: what,
    run: async (world) => {
      const reset = `DELETE FROM phones WHERE id <> 1; UPDATE phones SET number = '${PHONE}'`;
      const shown = await direct(world, ...steps);
      await world.admin(reset);
      must(
        shown.some((row) => row.includes(secret)),
        `dead: ${shown.join(' / ')}`,
      );
      await asking(world, who, async (ask) => {
        for (const form of FORMS) {
          const rows = await ask(form, known, ...steps);
          await world.admin(reset);
          const [value = '', ...guessed] = rows;
          must(!rows.join().includes(secret), `shown: ${rows.join(' / ')}`);
          const pseudonym = value.match(ANON)?.[0];
          const told = pseudonym !== undefined && guessed.some((row) => row.includes(pseudonym));
          must(!told, `${form}: the guess was right: ${rows.join(' / ')}`);
        }
      });
    },
  };
}

const WRITER: Who = { run: 'night-1', claims: OTHERS };
const ONE = 'SELECT email FROM customers WHERE id = 1';
const NUMBER = 'SELECT number FROM phones WHERE id = 1';

const guesses: Attack[] = [
  guess(
    'a guess written, and read again',
    WRITER,
    NUMBER,
    [`INSERT INTO phones VALUES (2, '${PHONE}')`, 'SELECT number FROM phones WHERE id = 2'],
    PHONE,
  ),
  guess(
    'a guess written, and given back at once',
    WRITER,
    NUMBER,
    [`INSERT INTO phones VALUES (3, '${PHONE}') RETURNING number`],
    PHONE,
  ),
  guess(
    'a guess that overwrites',
    WRITER,
    NUMBER,
    [`UPDATE phones SET number = '${PHONE}' WHERE id = 1 RETURNING number`],
    PHONE,
  ),
  guess(
    'an instance that may only read, of an agent that may write',
    { ...WRITER, args: ['--read-only'] },
    NUMBER,
    ['SELECT number FROM phones'],
    PHONE,
  ),
  guess('a guess beside the column in one result', READER, ONE, [
    `SELECT email FROM customers WHERE id = 1 UNION ALL SELECT '${EMAIL}'`,
  ]),
  guess('a guess in the place of a value that is missing', READER, ONE, [
    `SELECT coalesce(c.email, '${EMAIL}') FROM customers c WHERE id = 1`,
  ]),
  guess('a guess by way of a view', READER, ONE, ['SELECT email FROM one']),
  guess('a guess by way of a view of what can be written', WRITER, ONE, [
    `INSERT INTO phones VALUES (4, '${EMAIL}')`,
    'SELECT email FROM all_of',
  ]),
  {
    case: 'who may write a column of the table at most under a condition is given none',
    run: async (world) => {
      const sql = 'SELECT name FROM people';
      must(
        (await rowsOf(world, READER, 'simple', sql))[0]?.match(ANON)?.length === 1,
        'dead: nobody has any',
      );
      const [row] = await rowsOf(world, WRITER, 'simple', sql);
      must(row === '***', `given: ${row}`);
    },
  },
];

export const PG_M20: readonly AttackGroup[] = [
  {
    id: 'PG-M20',
    scenario: { policy: POLICY, sql: SQL, columns: COLUMNS },
    attacks: [...equality, ...guesses],
  },
];
