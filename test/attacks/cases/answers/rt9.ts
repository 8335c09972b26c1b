import {
  bind,
  describePortal,
  describeStatement,
  execute,
  parse,
  query,
  type RawClient,
  sync,
} from '../../../support/postgres/raw-client.ts';
import { type Attack, type AttackGroup, FORMS, type Form, must, send } from '../../attack.ts';
import type { World } from '../../world.ts';

/** All is permitted but to see cards and whatever people's column `born` shows. */
const POLICY = `
@id("all") permit (principal, action, resource);
@id("hidden") @mask("redact") forbid (principal, action == Action::"reveal", resource is Column) when { resource.tags.contains("pii") };
`;

const FIXTURE = `
CREATE TABLE orders (id int PRIMARY KEY, item text, pan bigint, status text DEFAULT 'new');
INSERT INTO orders VALUES (1, 'tea', 4111111111111111, 'new'), (2, 'rum', 5500005555555559, 'old'), (3, 'gin', NULL, 'old');
CREATE TABLE people (id int, name text, born date, more jsonb, tags text[]);
INSERT INTO people VALUES (1, 'Ann', '1990-01-02', '{"a": 1}', '{x,y}');
CREATE TABLE plain (id int, n numeric); INSERT INTO plain VALUES (1, 1.5), (2, 2.5);
CREATE VIEW busy AS SELECT id, status FROM orders;
CREATE FUNCTION count_of(int) RETURNS bigint LANGUAGE sql STABLE AS 'SELECT count(*) FROM public.orders WHERE id = $1';
CREATE FUNCTION name_of(int) RETURNS text LANGUAGE sql STABLE AS 'SELECT item FROM public.orders WHERE id = $1';
CREATE FUNCTION unread(int) RETURNS text LANGUAGE plpgsql STABLE AS 'BEGIN RETURN (SELECT item FROM public.orders WHERE id = $1); END';
`;

const NOTICE = 'NoticeResponse 01H01';

/** What was answered to each statement: its rows, and whether it was said that values are withheld. */
interface Answer {
  readonly rows: readonly string[];
  readonly told: boolean;
  readonly refused: boolean;
}

async function answers(client: RawClient, steps: readonly string[], form: Form): Promise<Answer[]> {
  const found: Answer[] = [];
  for (const sql of steps) {
    const lines = await send(client, sql, form);
    const ends = lines.findIndex((line) => line.startsWith('CommandComplete'));
    found.push({
      rows: lines.filter((line) => line.startsWith('DataRow')),
      told: lines.slice(0, ends).includes(NOTICE),
      refused: lines.some((line) => line.startsWith('ErrorResponse')),
    });
  }
  return found;
}

/** Whether a cell that is not what the server gave says itself that it is none. */
const isVisible = (cell: string | undefined) => cell?.replace(/[^*]/g, '') === '***';

/**
 * Every value is as the server gives it, or visibly masked, or NULL and told of; or the statement is refused.
 *
 * @param right Which statements (from 0) must be answered as the server does; the others need only be candid.
 */
function candid(what: string, steps: readonly string[], right: readonly number[] = []): Attack {
  const run = async (world: World, form: Form) => {
    const direct = await answers(await world.direct(), steps, form);
    const through = await answers(await world.through(), steps, form);
    must(
      direct.every(({ refused }) => !refused),
      `dead: the server refuses it: ${JSON.stringify(direct)}`,
    );
    for (const [index, answer] of through.entries()) {
      const own = direct[index]?.rows ?? [];
      const text = `${steps[index]}: ${own.join(' / ')} became ${answer.rows.join(' / ')}`;
      if (answer.refused) must(!right.includes(index), `refused: ${steps[index]}`);
      else must(answer.rows.length === own.length, text);
      for (const [at, row] of answer.rows.entries()) {
        const [cells, before] = [row.split('|'), own[at]?.split('|') ?? []];
        const changed = cells.filter((cell, column) => cell !== before[column]);
        must(changed.length === 0 || !right.includes(index), text);
        must(answer.told || changed.every(isVisible), `in silence, ${text}`);
      }
    }
  };
  return {
    case: what,
    run: async (world) => {
      for (const form of FORMS) {
        await run(world, form).catch((error: Error) => {
          throw new Error(`${form}: ${error.message}`);
        });
      }
    },
  };
}

/** A transcript through the gateway. */
function transcript(what: string, messages: () => readonly Buffer[], expected: readonly string[]): Attack {
  return {
    case: what,
    run: async (world) => {
      const lines = await (await world.through()).ask(...messages());
      must(lines.join('\n') === expected.join('\n'), lines.join(' / '));
    },
  };
}

const MASKED_ROWS = ['DataRow 1|NULL', 'DataRow 2|NULL'];
const CARDS = 'SELECT id, pan FROM orders ORDER BY id LIMIT 2';

/** Plausible values that are false. */
export const RT9: readonly AttackGroup[] = [
  {
    id: 'RT9',
    scenario: {
      policy: POLICY,
      sql: FIXTURE,
      columns: {
        'public.orders.pan': ['pii'],
        'public.people.born': ['pii'],
        'public.people.more': ['pii'],
        'public.people.tags': ['pii'],
      },
      superuser: true,
    },
    attacks: [
      candid(
        'a count of a temporary table',
        ['CREATE TEMP TABLE a AS SELECT id FROM orders', 'SELECT count(*) FROM a', 'SELECT *, id * 2 FROM a'],
        [0, 1, 2],
      ),
      candid(
        'a temporary table that hides another of its name',
        ['CREATE TEMP TABLE orders AS SELECT id, item FROM orders', 'SELECT count(*), max(item) FROM orders'],
        [],
      ),
      candid(
        'a temporary table of one transaction',
        [
          'BEGIN',
          'CREATE TEMP TABLE b (n int) ON COMMIT DROP',
          'INSERT INTO b VALUES (7)',
          'SELECT sum(n) FROM b',
          'ROLLBACK',
        ],
        [0, 1],
      ),
      candid('what is computed after a star', ['SELECT *, id + 1 AS next FROM orders']),
      candid('… after several stars', [
        'SELECT o.*, lower(item), p.*, p.n * 2 FROM orders o JOIN plain p ON p.id = o.id',
      ]),
      candid('… where nothing is masked', ['SELECT *, n * 2, count(*) OVER () FROM plain'], [0]),
      candid(
        'counts and sums of a table with a masked column',
        ['SELECT count(*), sum(id), max(item) FROM orders'],
        [0],
      ),
      candid(
        'a view of columns that are not masked',
        ['SELECT *, id + 1 FROM busy', 'SELECT count(*) FROM busy'],
        [0, 1],
      ),
      candid("a permitted function's number", ['SELECT count_of(1)', 'SELECT id, count_of(id) FROM orders']),
      candid("a permitted function's text", ['SELECT name_of(1)', 'SELECT * FROM name_of(2)']),
      candid('numbers, dates, documents and arrays that are masked', [
        'SELECT * FROM people',
        'SELECT pan FROM orders',
      ]),
      candid('masked values of rows that were written', [
        "UPDATE orders SET status = 'x' WHERE id = 1 RETURNING *, id + 1",
      ]),
      candid('a cursor', [
        'BEGIN',
        'DECLARE c CURSOR FOR SELECT *, id + 1 FROM orders',
        'FETCH 2 FROM c',
        'FETCH ALL FROM c',
        'ROLLBACK',
      ]),
      candid('what is prepared', ['PREPARE p AS SELECT *, id + 1 FROM orders', 'EXECUTE p', 'DEALLOCATE p']),
      candid('queries within queries', [
        'WITH a AS (SELECT id, item FROM orders) SELECT *, (SELECT count(*) FROM a) FROM a',
        'SELECT q.*, q.id + 1 FROM (SELECT id FROM orders) q',
        'SELECT *, 1 FROM orders JOIN plain USING (id)',
        'SELECT id FROM orders UNION ALL SELECT id FROM plain',
      ]),
      candid('a join whose columns merge', ['SELECT id, n, id + 1 FROM orders JOIN plain USING (id)'], [0]),
      {
        case: 'a table that somebody has made a moment ago',
        run: async (world) => {
          const client = await world.through();
          await send(client, 'SELECT 1');
          await world.admin(
            'DROP TABLE IF EXISTS fresh; CREATE TABLE fresh AS SELECT 5 AS n; GRANT SELECT ON fresh TO PUBLIC',
          );
          const [answer] = await answers(client, ['SELECT count(*), sum(n) FROM fresh'], 'simple');
          const right = answer?.rows.join() === 'DataRow 1|5';
          must(right || answer?.told === true || answer?.refused === true, JSON.stringify(answer));
        },
      },
      {
        case: 'a column that somebody has added a moment ago shifts none into sight',
        run: async (world) => {
          await world.admin(
            'DROP TABLE IF EXISTS wide; CREATE TABLE wide AS SELECT 1 AS a; GRANT SELECT ON wide TO PUBLIC',
          );
          const client = await world.through();
          await send(client, 'SELECT a FROM wide');
          const sql = 'SELECT *, unread(1), 1 FROM wide';
          await send(client, sql);
          await world.admin('ALTER TABLE wide ADD b int DEFAULT 2');
          const [answer] = await answers(client, [sql], 'simple');
          must(!JSON.stringify(answer).includes('tea'), JSON.stringify(answer));
        },
      },
      transcript('a notice per statement, before its end', () => [query(`${CARDS}; SELECT 1; ${CARDS}`)], [
        'RowDescription',
        ...MASKED_ROWS,
        NOTICE,
        'CommandComplete SELECT 2',
        'RowDescription',
        'DataRow 1',
        'CommandComplete SELECT 1',
        'RowDescription',
        ...MASKED_ROWS,
        NOTICE,
        'CommandComplete SELECT 2',
        'ReadyForQuery I',
      ]),
      transcript(
        'a notice per portal, in a pipeline and by pieces',
        () => [
          parse('s', CARDS),
          describeStatement('s'),
          bind('a', 's'),
          bind('b', 's'),
          execute('a', 1),
          execute('a', 1),
          execute('a', 1),
          describePortal('b'),
          execute('b'),
          sync,
        ],
        [
          'ParseComplete',
          'ParameterDescription',
          'RowDescription',
          'BindComplete',
          'BindComplete',
          'DataRow 1|NULL',
          NOTICE,
          'PortalSuspended',
          'DataRow 2|NULL',
          'PortalSuspended',
          'CommandComplete SELECT 0',
          'RowDescription',
          ...MASKED_ROWS,
          NOTICE,
          'CommandComplete SELECT 2',
          'ReadyForQuery I',
        ],
      ),
      transcript(
        'no notice where NULL is what stands there',
        () => [query('SELECT pan FROM orders WHERE id = 3')],
        ['RowDescription', 'DataRow NULL', 'CommandComplete SELECT 1', 'ReadyForQuery I'],
      ),
    ],
  },
];
