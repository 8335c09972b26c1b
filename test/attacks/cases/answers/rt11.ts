import {
  bind,
  closePortal,
  closeStatement,
  copyData,
  copyDone,
  copyFail,
  describePortal,
  describeStatement,
  execute,
  flush,
  functionCall,
  parse,
  query,
  sync,
  terminate,
} from '../../../support/postgres/raw-client.ts';
import { ALLOW_ALL, ATTACK_COLUMNS, ATTACK_FIXTURE } from '../../../support/stack.ts';
import type { Attack, AttackGroup } from '../../attack.ts';
import { sequence } from '../../sequence.ts';

const ROWS = 'SELECT g FROM generate_series(1, 5) AS g';
const BEGIN = query('BEGIN');
const COMMIT = query('COMMIT');
const ROLLBACK = query('ROLLBACK');
/** Parse, Bind to a portal of its own, Execute. */
const run = (sql: string, portal = '', rows = 0) => [parse('', sql), bind(portal, ''), execute(portal, rows)];
const HELD = `DECLARE h CURSOR WITH HOLD FOR ${ROWS}`;

/** Sequences that the protocol allows, however odd. */
const SEQUENCES: Readonly<Record<string, readonly Buffer[][]>> = {
  'a held cursor declared, executed by rows, described after Sync': [
    [...run(HELD, '', 1), sync],
    [describePortal('h'), sync],
    [execute('h', 2), sync],
    [execute('h', 2), sync],
    [describePortal('h'), execute('h'), execute('h'), sync],
    [closePortal('h'), sync, describePortal('h'), sync],
  ],
  'a held cursor declared by a simple query, described and run by messages': [
    [query(HELD)],
    [describePortal('h'), sync],
    [describePortal('h'), execute('h', 2), sync],
    [execute('h', 2), sync],
    [execute('h', 2), sync],
    [execute('h', 2), sync],
    [query('CLOSE h')],
    [execute('h'), sync],
  ],
  'a held cursor in a transaction that commits, and in one that rolls back': [
    [BEGIN, query(HELD), COMMIT, query('FETCH 2 FROM h'), query('FETCH 2 FROM h')],
    [describePortal('h'), execute('h', 1), sync],
    [query('CLOSE h')],
    [BEGIN, query(HELD), ROLLBACK, query('FETCH 2 FROM h')],
    [describePortal('h'), sync],
  ],
  'a cursor that is not held: gone after its transaction': [
    [BEGIN, query(`DECLARE c CURSOR FOR ${ROWS}`), describePortal('c'), execute('c', 2), sync],
    [execute('c', 2), sync, COMMIT],
    [execute('c', 2), sync],
    [describePortal('c'), sync],
  ],
  'a portal by rows and Sync outside of a transaction: gone': [
    [parse('', ROWS), bind('p', ''), describePortal('p'), execute('p', 2), sync],
    [execute('p', 2), sync],
    [describePortal('p'), sync],
  ],
  'a portal by rows over several Syncs in a transaction': [
    [BEGIN, parse('', ROWS), bind('p', ''), execute('p', 2), sync],
    [execute('p', 2), sync],
    [describePortal('p'), sync],
    [execute('p', 2), execute('p', 2), sync],
    [closePortal('p'), execute('p'), sync],
    [ROLLBACK],
  ],
  'a completed portal executed again': [
    [parse('', ROWS), bind('p', ''), execute('p'), execute('p'), execute('p', 1), sync],
    [BEGIN, ...run('INSERT INTO t VALUES (1)', 'i'), execute('i'), sync],
    [ROLLBACK],
  ],
  'an unnamed portal executed again, and described after its end': [
    [...run(ROWS), describePortal(''), execute(''), sync],
    [describePortal(''), sync],
  ],
  'Close of what is not there': [
    [closePortal('nothing'), closeStatement('nothing'), closePortal(''), closeStatement(''), sync],
    [closePortal('nothing'), sync, closeStatement('nothing'), sync],
  ],
  'Close in a failed transaction': [
    [BEGIN, parse('s', ROWS), bind('p', 's'), sync, query('SELECT 1/0')],
    [closePortal('p'), closeStatement('s'), sync],
    [ROLLBACK, bind('', 's'), sync],
  ],
  'named portals are not replaced': [
    [BEGIN, parse('', ROWS), bind('p', ''), bind('p', ''), execute('p'), sync],
    [ROLLBACK],
    [parse('', ROWS), bind('p', ''), sync, bind('p', ''), execute('p', 1), sync],
  ],
  'the unnamed portal is replaced, half read': [
    [BEGIN, ...run(ROWS, '', 2), ...run('SELECT 9'), sync, execute(''), sync],
    [ROLLBACK],
  ],
  'a Query drops the unnamed statement and portal': [
    [BEGIN, parse('', ROWS), bind('', ''), execute('', 1), sync, query('SELECT 1')],
    [execute('', 1), sync],
    [ROLLBACK, bind('', ''), sync],
    [parse('', ROWS), sync, query('SELECT 1'), describeStatement(''), sync],
  ],
  'Bind errors, then Sync': [
    [parse('s', 'SELECT $1::int'), bind('', 's'), execute(''), sync],
    [bind('', 's', { values: ['x'] }), describePortal(''), execute(''), sync],
    [bind('', 's', { values: ['1', '2'] }), sync],
    [bind('', 's', { values: ['7'] }), execute(''), sync],
    [bind('', 'nothing'), execute(''), sync],
  ],
  'Describe of a dropped statement, and of a statement whose table is gone': [
    [parse('s', ROWS), sync, query('DEALLOCATE s'), describeStatement('s'), sync],
    [query('CREATE TEMP TABLE gone (i int)'), parse('g', 'SELECT * FROM gone'), sync],
    [query('DROP TABLE gone'), describeStatement('g'), sync],
    [bind('', 'g'), execute(''), sync],
    [closeStatement('g'), sync],
  ],
  'a table changed under a prepared statement': [
    [query('CREATE TEMP TABLE ch (i int)'), parse('c', 'SELECT * FROM ch'), describeStatement('c'), sync],
    [query('ALTER TABLE ch ADD j int')],
    [bind('', 'c'), execute(''), sync],
    [
      closeStatement('c'),
      parse('c', 'SELECT * FROM ch'),
      bind('', 'c'),
      describePortal(''),
      execute(''),
      sync,
    ],
  ],
  'Flush and Sync in odd places': [
    [sync, sync, flush, sync],
    [parse('', ROWS), flush, bind('', ''), flush, describePortal(''), flush, execute('', 2), flush, sync],
    [flush, flush, query('SELECT 1'), flush, sync],
    [parse('', ROWS), sync, bind('', ''), sync, execute(''), sync],
  ],
  'empty queries': [
    [query(''), query(';'), query(' -- nothing'), query(';;;')],
    [parse('', ''), describeStatement(''), bind('', ''), describePortal(''), execute(''), execute(''), sync],
    [parse('', '-- nothing'), bind('', ''), execute('', 1), sync],
    [BEGIN, query(''), query('SELECT 1/0'), query(''), parse('', ''), bind('', ''), execute(''), sync],
    [ROLLBACK],
  ],
  'COPY by the extended protocol': [
    [...run('COPY t FROM STDIN'), copyData('1\ta\n'), copyDone, sync],
    [...run('COPY t TO STDOUT'), sync],
    [parse('', 'COPY t TO STDOUT'), bind('', ''), describePortal(''), execute('', 1), sync],
    [query('TRUNCATE t')],
  ],
  'COPY that fails by the extended protocol': [
    [...run('COPY t FROM STDIN'), copyData('x\ta\n'), copyDone, sync],
    [...run('COPY t FROM STDIN'), copyFail('enough'), sync],
    [...run('COPY t FROM STDIN'), copyData('1\ta\n'), copyFail('enough'), ...run('SELECT 1'), sync],
    [query('SELECT count(*) FROM t')],
  ],
  'Sync and Flush between rows of a COPY': [
    [...run('COPY t FROM STDIN'), sync, copyData('1\ta\n'), flush, sync, copyDone, sync],
    [query('COPY t FROM STDIN'), copyData('1\ta\n'), sync, copyDone],
    [query('TRUNCATE t')],
  ],
  'COPY messages outside of a COPY': [
    [copyData('1\n'), copyDone, copyFail('x'), query('SELECT 1')],
    [...run('SELECT 1'), copyDone, sync],
  ],
  'a string with several COPYs': [
    [query('COPY t FROM STDIN; COPY t FROM STDIN; SELECT count(*) FROM t'), copyData('1\ta\n'), copyDone],
    [copyData('2\tb\n'), copyDone],
    [query('COPY t FROM STDIN; SELECT 1'), copyFail('no')],
    [query('COPY t FROM STDIN; SELECT 1/0; SELECT 2'), copyData('3\tc\n'), copyDone],
    [query('TRUNCATE t')],
  ],
  'ROLLBACK TO with cursors': [
    [BEGIN, query('SAVEPOINT a'), query(`DECLARE c CURSOR FOR ${ROWS}`), query('FETCH 1 FROM c')],
    [query('ROLLBACK TO a'), query('FETCH 1 FROM c'), query('ROLLBACK TO a')],
    [query(`DECLARE d CURSOR FOR ${ROWS}`), query('SAVEPOINT b'), query('FETCH 2 FROM d')],
    [query('ROLLBACK TO b'), query('FETCH 1 FROM d'), execute('d', 1), sync],
    [parse('', ROWS), bind('p', ''), sync, query('ROLLBACK TO b'), execute('p'), sync],
    [ROLLBACK],
  ],
  'a table made in a transaction, and a savepoint rolled back': [
    [BEGIN, query('CREATE TABLE fresh (i int)'), query('SAVEPOINT a'), query('INSERT INTO fresh VALUES (1)')],
    [query('ROLLBACK TO a'), query('SELECT * FROM fresh'), ...run('SELECT count(*) FROM fresh'), sync],
    [query('ROLLBACK TO a'), query('INSERT INTO fresh VALUES (2) RETURNING i'), ROLLBACK],
    [query('SELECT * FROM fresh')],
  ],
  'function calls, also in a failed transaction': [
    [BEGIN, functionCall(1397, '-7'), query('SELECT 1/0'), functionCall(1397, '-7'), sync],
    [ROLLBACK, functionCall(1397, '-8'), functionCall(99999), functionCall(1397)],
  ],
  'names given by the wire and by SQL': [
    [parse('w', 'SELECT 1'), sync, query('EXECUTE w'), query('PREPARE w AS SELECT 2'), query('DEALLOCATE w')],
    [query('PREPARE s(int) AS SELECT $1 + 1'), bind('', 's', { values: ['4'] }), execute(''), sync],
    [describeStatement('s'), parse('s', 'SELECT 9'), sync],
    [closeStatement('s'), sync, query('EXECUTE s(1)')],
    [query('PREPARE "Odd Name" AS SELECT 3'), bind('', 'Odd Name'), execute(''), sync],
    [query('EXECUTE "Odd Name"'), query('DEALLOCATE "Odd Name"')],
  ],
  'DEALLOCATE ALL and DISCARD ALL, then Bind': [
    [parse('s', ROWS), sync, query('DEALLOCATE ALL'), bind('', 's'), sync],
    [parse('s', ROWS), sync, query('DISCARD ALL'), bind('', 's'), sync],
    [parse('s', ROWS), ...run('DEALLOCATE ALL'), bind('', 's'), execute(''), sync],
    [parse('s', ROWS), sync],
    [closeStatement('s'), sync],
  ],
  'one name parsed twice': [
    [parse('s', 'SELECT 1'), parse('s', 'SELECT 2'), bind('', 's'), execute(''), sync],
    [bind('', 's'), execute(''), sync],
    [
      parse('s', 'SELECT 3'),
      sync,
      closeStatement('s'),
      parse('s', 'SELECT 4'),
      bind('', 's'),
      execute(''),
      sync,
    ],
    [parse('', 'SELECT 5'), parse('', 'SELECT 6'), bind('', ''), execute(''), sync],
  ],
  'a Parse that fails leaves the name as it was': [
    [parse('s', 'SELECT 1'), sync, parse('s', 'SELEC 2'), sync, bind('', 's'), execute(''), sync],
    [
      parse('n', 'SELEC 2'),
      sync,
      bind('', 'n'),
      sync,
      parse('n', 'SELECT 3'),
      bind('', 'n'),
      execute(''),
      sync,
    ],
    [parse('', 'SELECT 4'), sync, parse('', 'SELEC'), sync, bind('', ''), execute(''), sync],
  ],
  'strings of several statements with an error in the middle': [
    [query('SELECT 1; SELECT 1/0; SELECT 2'), query('SELECT 3')],
    [query('BEGIN; SELECT 1; SELECT 1/0; SELECT 2'), query('SELECT 3'), query('ROLLBACK; SELECT 4')],
    [query('SELECT 1; BEGIN; SELECT 2; COMMIT; SELECT 1/0'), query('SELECT 5')],
    [query('INSERT INTO t VALUES (1); SELECT 1/0'), query('SELECT count(*) FROM t')],
    [query('SELECT 1; SELEC 2')],
  ],
  'a Query behind a failed batch without Sync': [
    [...run('SELECT 1/0'), query('SELECT 1'), ...run('SELECT 2'), sync, query('SELECT 3')],
  ],
  'a batch whose answers are awaited by Query instead of Sync': [
    [...run(ROWS, '', 2), query('SELECT 1'), sync],
    [parse('q', ROWS), bind('p', 'q'), query('SELECT 2'), execute('p', 1), sync],
    [
      BEGIN,
      parse('', ROWS),
      bind('p', ''),
      execute('p', 2),
      query('SELECT 1'),
      execute('p', 1),
      sync,
      ROLLBACK,
    ],
  ],
  'LISTEN and NOTIFY in transactions': [
    [query('LISTEN a'), BEGIN, query("NOTIFY a, 'x'"), query("NOTIFY a, 'x'"), COMMIT],
    [BEGIN, query("NOTIFY a, 'y'"), ROLLBACK, query('SELECT 1')],
    [...run('NOTIFY a'), ...run('SELECT 1'), sync],
    [query('UNLISTEN *'), query('NOTIFY a')],
  ],
  'COMMIT of a failed transaction, and chains': [
    [BEGIN, query('SELECT 1/0'), COMMIT, query('COMMIT'), query('ROLLBACK')],
    [BEGIN, query('BEGIN'), query('COMMIT AND CHAIN'), query('ROLLBACK AND CHAIN'), query('ROLLBACK')],
    [query('COMMIT AND CHAIN'), query('SAVEPOINT outside'), query('ROLLBACK TO outside')],
  ],
  'transactions by the extended protocol, in one batch': [
    [...run('BEGIN'), ...run('SELECT 1'), ...run('COMMIT'), ...run('SELECT 2'), sync],
    [...run('SELECT 1'), ...run('COMMIT'), ...run('SELECT 2'), sync],
    [
      ...run('BEGIN'),
      parse('', ROWS),
      bind('p', ''),
      execute('p', 1),
      ...run('COMMIT'),
      execute('p', 1),
      sync,
    ],
    [...run('ROLLBACK'), sync],
  ],
  'MOVE, FETCH of all kinds, and CLOSE ALL': [
    [
      BEGIN,
      query(`DECLARE c SCROLL CURSOR FOR ${ROWS}`),
      query('MOVE 2 IN c'),
      query('FETCH BACKWARD 1 FROM c'),
    ],
    [
      query('FETCH LAST FROM c'),
      query('FETCH PRIOR FROM c'),
      query('FETCH ABSOLUTE 2 FROM c'),
      query('MOVE ALL c'),
    ],
    [...run('FETCH ALL FROM c'), ...run('FETCH FIRST FROM c'), ...run('MOVE FIRST c', '', 1), sync],
    [query('CLOSE ALL'), query('FETCH 1 FROM c'), ROLLBACK],
  ],
  'FETCH by the extended protocol with a row limit': [
    [BEGIN, query(`DECLARE c CURSOR FOR ${ROWS}`)],
    [parse('', 'FETCH 3 FROM c'), bind('p', ''), describePortal('p'), execute('p', 1), execute('p', 1), sync],
    [execute('p'), sync, ROLLBACK],
  ],
  'a command with rows, by rows': [
    [
      ...run('INSERT INTO t SELECT g FROM generate_series(1, 5) AS g RETURNING id', 'i', 2),
      execute('i', 2),
      sync,
    ],
    [query('SELECT count(*) FROM t'), query('TRUNCATE t')],
    [BEGIN, ...run('INSERT INTO t SELECT 1 RETURNING id', 'i', 1), sync, execute('i', 1), sync, ROLLBACK],
    [...run('SHOW work_mem', 's', 1), execute('s', 1), sync],
    [...run('EXPLAIN (COSTS off) SELECT 1 UNION SELECT 2', 'e', 1), execute('e', 1), execute('e'), sync],
  ],
  'Execute of utility statements twice': [
    [...run('BEGIN', 'b'), execute('b'), sync, ROLLBACK],
    [...run("SET application_name = 'x'", 's', 1), execute('s'), sync],
    [parse('', 'SELECT 1'), bind('a', ''), execute('a', 1), execute('a', 1), execute('a', 1), sync],
  ],
  'goodbye in the middle of a batch': [[...run('SELECT 1'), terminate]],
  'goodbye behind a statement': [[query('SELECT 1'), terminate, query('SELECT 2')]],
  'goodbye in a transaction': [[BEGIN, query('SELECT 1'), terminate]],
};

/** What differs where something is masked, on purpose. */
const OTHERWISE_WHERE_MASKED: readonly string[] = [
  // Schema changes of what masked rows may flow into.
  'Describe of a dropped statement, and of a statement whose table is gone',
  'a table changed under a prepared statement',
  'a table made in a transaction, and a savepoint rolled back',
  // A bare value, and a payload, cannot be traced.
  'function calls, also in a failed transaction',
  'LISTEN and NOTIFY in transactions',
  // It resets settings that analysis rests upon.
  'DEALLOCATE ALL and DISCARD ALL, then Bind',
];

function all(where = '', except: readonly string[] = []): Attack[] {
  return Object.entries(SEQUENCES)
    .filter(([what]) => !except.includes(what))
    .map(([what, steps]) => sequence({ case: `${what}${where}`, steps, reset: 'TRUNCATE t' }));
}

/** Whoever may do everything, and sees some columns masked: answers are described and rewritten on their way. */
const MASKED = `${ALLOW_ALL}
@id("masked") @mask("redact") forbid (principal, action == Action::"reveal", resource is Column)
when { resource.tags.contains("pii.card") };
`;

const FIXTURE = `${ATTACK_FIXTURE}
CREATE TABLE t (id int, name text);
GRANT ALL ON t TO hoop;
`;

/** Legal sequences that hang or end, and identities that differ from themselves. */
export const RT11: readonly AttackGroup[] = [
  { id: 'RT11', scenario: { policy: ALLOW_ALL, sql: FIXTURE }, attacks: all() },
  {
    id: 'RT11',
    scenario: { policy: MASKED, sql: FIXTURE, columns: ATTACK_COLUMNS },
    attacks: all(', where something is masked', OTHERWISE_WHERE_MASKED),
  },
];
