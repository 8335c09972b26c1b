/** PG-S26, PG-M14, PG-M15, PG-M18, PG-M19: what is too much for a parser or a detector, and values that are written back. */
import { bind, execute, parse, query, type RawClient, sync } from '../../../support/postgres/raw-client.ts';
import { type Attack, act, actBy, leak, must, send } from '../../attack.ts';
import { disguiseOf } from '../../leak.ts';
import { meanwhile } from '../../meanwhile.ts';
import { sequence } from '../../sequence.ts';
import { EMAIL, ORDERS } from './world.ts';

/** In a masked column: what no detector would know. */
const ODD = {
  'digits of another script': '１２３-４５-６７８９',
  'joiners of no width': '123\u200d-45\u200d-67\u200d89',
  'a soft hyphen': '123\u00ad45\u00ad6789',
} as const;
/** Behind a megabyte of what patterns like least. */
const TAIL = '321-54-9876';
const REPEATS = 500_000;

export const VALUES_SQL = `
CREATE TABLE odd (id int, ssn text);
INSERT INTO odd VALUES ${Object.values(ODD)
  .map((value, i) => `(${i}, '${value}')`)
  .join(', ')};
INSERT INTO odd VALUES (9, repeat('1-', ${REPEATS}) || '${TAIL}');
GRANT SELECT ON odd TO hoop;
`;
export const VALUES_COLUMNS = { 'public.odd.ssn': ['pii.national-id'] };

/** A text that is too much for something, and would change orders: it does not, and nobody else waits for it. */
function tooMuch(what: string, sql: () => string): Attack {
  return {
    id: 'PG-S26',
    case: what,
    run: async (world) => {
      const text = query(sql());
      const changed = async (client: RawClient, ask: (answer: Promise<unknown>) => Promise<unknown>) => {
        await world.look(ORDERS.reset);
        const before = await world.look(ORDERS.effect);
        client.send(text);
        await ask(client.untilReady(60_000));
        return (await world.look(ORDERS.effect)) !== before;
      };
      must(await changed(await world.direct(), (answer) => answer), 'dead: no effect on the server itself');
      const client = await world.through();
      const through = await changed(client, (answer) => meanwhile(world, answer));
      must(!through, 'it had its effect');
      must(client.received.includes(Buffer.from('\0C')), 'it is not told why');
      await world.look(ORDERS.reset);
    },
  };
}

/** A value that detectors must give up on, or need long for: it is not shown, and nobody else waits. */
function givenUp(id: string, what: string, sql: string, secret: string): Attack {
  return {
    id,
    case: what,
    run: async (world) => {
      const control = await world.direct();
      await send(control, sql);
      must(disguiseOf(control.received, secret) !== undefined, 'dead: the server itself shows nothing');
      const client = await world.through();
      const lines = await meanwhile(world, send(client, sql));
      const found = disguiseOf(client.received, secret);
      must(found === undefined, `leaked, ${found}`);
      must(lines.at(-1) === 'ReadyForQuery I', `the session is gone: ${lines.at(-1)}`);
    },
  };
}

const KEPT = {
  effect: 'SELECT string_agg(ssn, $$,$$ ORDER BY id) FROM customers',
  reset: "DELETE FROM customers WHERE id > 40; UPDATE customers SET ssn = '123-45-6789' WHERE id = 1",
};
const MASKED_TOKEN = '***';

const arms = (count: number, arm: (n: number) => string, between: string) =>
  Array.from({ length: count }, (_, n) => arm(n)).join(between);

export const VALUES: readonly Attack[] = [
  tooMuch('1,500 parentheses', () => `DELETE FROM orders WHERE ${'('.repeat(1500)}id > 0${')'.repeat(1500)}`),
  tooMuch(
    'a list of a million numbers',
    () => `DELETE FROM orders WHERE id IN (${arms(1_000_000, String, ',')})`,
  ),
  tooMuch('a literal of 64 MB', () => `DELETE FROM orders WHERE status <> '${'x'.repeat(64_000_000)}'`),
  tooMuch(
    'an INSERT of 300 kB',
    () => `INSERT INTO orders VALUES ${arms(15_000, (n) => `(${n + 100},1,2,'x')`, ',')}`,
  ),
  tooMuch(
    'a thousand arms of UNION ALL',
    () => `DELETE FROM orders WHERE id IN (${arms(1000, (n) => `SELECT ${n}`, ' UNION ALL ')})`,
  ),
  {
    id: 'PG-S26',
    case: 'ten thousand arms of UNION and five thousand parentheses: answered, whatever by, and nobody else waits',
    run: async (world) => {
      const client = await world.through();
      for (const sql of [
        arms(10_000, (n) => `SELECT ${n}`, ' UNION '),
        `SELECT ${'('.repeat(5000)}1${')'.repeat(5000)}`,
      ]) {
        const lines = await meanwhile(world, send(client, sql));
        must(lines.at(-1) === 'ReadyForQuery I', `the session is gone: ${lines.at(-1)}`);
      }
      must((await client.ask(query('SELECT 1'))).includes('DataRow 1'), 'the session is of no more use');
    },
  },
  act({
    id: 'PG-M14',
    case: 'a mask that is inserted',
    steps: [`INSERT INTO customers VALUES (50, 'x', 'x@x', '${MASKED_TOKEN}', 'x')`],
    ...KEPT,
  }),
  act({
    id: 'PG-M14',
    case: 'a mask that was read a moment ago, written back',
    steps: [
      'SELECT ssn FROM customers WHERE id = 1',
      `UPDATE customers SET ssn = '${MASKED_TOKEN}' WHERE id = 1`,
    ],
    ...KEPT,
  }),
  actBy({
    id: 'PG-M14',
    case: 'a mask as a parameter',
    send: (client) =>
      client.ask(
        parse('', 'UPDATE customers SET ssn = $1 WHERE id = 1'),
        bind('', '', { values: [MASKED_TOKEN] }),
        execute(''),
        sync,
      ),
    ...KEPT,
  }),
  sequence({
    id: 'PG-M15',
    case: 'a parameter is a value, whatever it looks like, and is given back as it is',
    steps: ['hello', '(select ssn from customers)', "'; delete from orders; --"].map((value) => [
      parse('', 'select $1::text'),
      bind('', '', { values: [value] }),
      execute(''),
      sync,
    ]),
  }),
  givenUp(
    'PG-M18',
    'more findings in a value than detectors look at',
    `SELECT repeat('${EMAIL} ', 20000)`,
    EMAIL,
  ),
  givenUp('PG-M18', 'a value longer than they look at', `SELECT repeat('x', 3000000) || ' ${EMAIL}'`, EMAIL),
  givenUp(
    'PG-M18',
    'a row longer than they look at',
    `SELECT repeat('x', 1500000), repeat('y', 1500000), '${EMAIL}'`,
    EMAIL,
  ),
  givenUp(
    'PG-M18',
    'JSON nested deeper than anybody reads',
    `SELECT repeat('[', 100000) || '"${EMAIL}"' || repeat(']', 100000)`,
    EMAIL,
  ),
  givenUp('PG-M18', 'JSON that breaks off', `SELECT '{"a":"\\u00' || '${EMAIL}'`, EMAIL),
  givenUp(
    'PG-M19',
    'a megabyte of 1-1-1-…, and a secret behind it',
    'SELECT ssn FROM odd WHERE id = 9',
    TAIL,
  ),
  givenUp('PG-M19', '… in no classified column', `SELECT repeat('1-', ${REPEATS}) || ' ${EMAIL}'`, EMAIL),
  givenUp('PG-M19', 'a megabyte of @', `SELECT repeat('a@', ${REPEATS}) || ' ${EMAIL}'`, EMAIL),
  ...Object.entries(ODD).map(([what, secret], i) =>
    leak({ id: 'PG-M19', case: what, steps: [`SELECT ssn FROM odd WHERE id = ${i}`], secret }),
  ),
  leak({
    id: 'PG-M19',
    case: 'a value cut by segments, at each of its octets',
    steps: [
      "SELECT repeat('x', 16300 + g), ssn FROM customers, generate_series(1, 110) g WHERE customers.id = 1",
    ],
    secret: '123-45-6789',
  }),
  leak({
    id: 'PG-M19',
    case: '… in no classified column',
    steps: [`SELECT repeat('x', 16300 + g), 'ann@' || 'example.com' FROM generate_series(1, 110) g`],
    secret: EMAIL,
  }),
];
