import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isHoopError } from '../../../../src/core/errors.ts';
import { TextCache } from '../../../../src/core/text-cache.ts';
import { POSTGRES_LIMITS } from '../../../../src/protocols/postgres/limits.ts';
import { maskLiterals, SqlParser } from '../../../../src/protocols/postgres/sql/parse/parser.ts';

let parser: SqlParser;
beforeAll(() => {
  parser = new SqlParser({ watchdogMs: 1_000 });
});
afterAll(() => parser.close());

async function codeOf(text: string): Promise<string> {
  try {
    const parsed = await parser.parse(text);
    return parsed.statements.some((one) => one.unsupported !== undefined) ? 'unsupported' : 'ok';
  } catch (error) {
    return isHoopError(error) ? error.code : String(error);
  }
}

/** `(a, b) = (query)` repeats the query in the tree for every column: nested, the tree doubles at each level. */
const doubling = (depth: number) =>
  `update t set ${'(a,b)=(with x as (update t set '.repeat(depth)}c=1${') select 1,2)'.repeat(depth)}`;

describe('texts', () => {
  test.each(['', '  ', ';', ';;', '-- comment', '/* a */ ;', '\n\t'])(
    '%j holds no statement',
    async (text) => {
      expect((await parser.parse(text)).statements).toEqual([]);
    },
  );

  test('several statements keep their order and their octets', async () => {
    const text = "select 'é'; update t set a = 1;; commit";
    const { statements } = await parser.parse(text);
    expect(statements.map((one) => one.tag)).toEqual(['SELECT', 'UPDATE', 'COMMIT']);
    const bytes = Buffer.from(text);
    expect(
      statements.map((one) => bytes.toString('utf8', one.offset, one.offset + one.length).trim()),
    ).toEqual(["select 'é'", 'update t set a = 1', 'commit']);
  });

  test.each([
    ['select (', 'ERR_SYNTAX'],
    ['selec 1', 'ERR_SYNTAX'],
    ["select 'a", 'ERR_SYNTAX'],
    ['select 1\0; delete from orders', 'ERR_SYNTAX'],
    ["select '\ud800'", 'ERR_SYNTAX'],
    [`select '${'x'.repeat(POSTGRES_LIMITS.sqlTextBytes)}'`, 'ERR_TOO_LARGE'],
    [`select '${'é'.repeat(POSTGRES_LIMITS.sqlTextBytes / 2)}'`, 'ERR_TOO_LARGE'],
  ])('%.40j is %s', async (text, code) => {
    expect(await codeOf(text)).toBe(code);
  });

  test('a syntax error keeps PostgreSQL’s message', async () => {
    await expect(parser.parse('selec 1')).rejects.toMatchObject({
      message: 'syntax error at or near "selec"',
    });
  });

  test('control characters in a literal do not make the text unanalysable', async () => {
    const { statements, literals } = await parser.parse("select '\u0001'");
    expect(statements).toHaveLength(1);
    expect(maskLiterals("select '\u0001'", literals)).not.toContain('\u0001');
  });

  test('a closed parser refuses', async () => {
    const closed = new SqlParser();
    await closed.close();
    await expect(closed.parse('select 1')).rejects.toMatchObject({ code: 'ERR_SESSION_ENDED' });
  });
});

describe('hostile texts', () => {
  const cases: [string, string, string[]][] = [
    ['19 KB of 1+1+…', `select ${'1+'.repeat(9_500)}1`, ['ERR_TOO_LARGE']],
    ['5,000 parentheses', `select ${'('.repeat(5_000)}1${')'.repeat(5_000)}`, ['ok']],
    ['50,000 parentheses', `select ${'('.repeat(50_000)}1${')'.repeat(50_000)}`, ['ERR_TOO_LARGE']],
    [
      '3,000 nested queries',
      `select ${'(select '.repeat(3_000)}1${')'.repeat(3_000)}`,
      ['ok', 'ERR_TOO_LARGE'],
    ],
    ['10,000 UNION arms', `select 1${' union select 1'.repeat(10_000)}`, ['ERR_TOO_LARGE']],
    ['50,000 elements of IN', `select 1 where 1 in (${'1,'.repeat(50_000)}1)`, ['ok', 'ERR_TOO_LARGE']],
    ['100,000 NOTs', `select ${'not '.repeat(100_000)}true`, ['ERR_TOO_LARGE']],
    [
      '6,000 distinct tables',
      `select 1 from ${Array.from({ length: 6_000 }, (_, i) => `t${i}`).join(',')}`,
      ['ERR_TOO_LARGE'],
    ],
  ];

  test.each(cases)('%s', async (_name, text, codes) => {
    expect(codes).toContain(await codeOf(text));
    expect(await codeOf('select 1 as after')).toBe('ok');
  });

  test('texts behind a hostile one are answered, and the event loop stays free', async () => {
    let longestMs = 0;
    let last = performance.now();
    const clock = setInterval(() => {
      longestMs = Math.max(longestMs, performance.now() - last);
      last = performance.now();
    }, 5);
    const hostile = codeOf(`${doubling(18)} returning 1`);
    const innocent = Array.from({ length: 50 }, (_, i) => codeOf(`select ${i} from orders where id = ${i}`));
    expect(await hostile).toBe('ERR_TOO_LARGE');
    expect(new Set(await Promise.all(innocent))).toEqual(new Set(['ok']));
    clearInterval(clock);
    // A busy machine may delay the timer; a parse on this thread would hold it for the whole watchdog.
    expect(longestMs).toBeLessThan(400);
  });

  test('a text that was refused for its cost is refused again at once', async () => {
    const text = doubling(17);
    expect(await codeOf(text)).toBe('ERR_TOO_LARGE');
    const startedAt = performance.now();
    expect(await codeOf(text)).toBe('ERR_TOO_LARGE');
    expect(performance.now() - startedAt).toBeLessThan(50);
  });
});

describe('maskLiterals', () => {
  test.each([
    [
      "select 'a', E'\\'b', $$c$$, $x$d$x$, U&'\\0065', N'f', X'1F'",
      "select '***', '***', '***', '***', '***', N'***', '***'",
    ],
    ['select 1, 1234, 12345, 1.2345e6, 123_456', 'select 1, 1234, ***, ***, ***'],
    ["select 1 -- it's 4111\n, 'é' /* x /* y */ */, 2", "select 1 /***/\n, '***' /***/, 2"],
    ['select "Ünïcode" from t where a = $1', 'select "Ünïcode" from t where a = $1'],
    ['select a from b', 'select a from b'],
  ])('%s', async (text, masked) => {
    expect(maskLiterals(text, (await parser.parse(text)).literals)).toBe(masked);
  });

  // Each by itself: a quick look tells whether there is anything to list.
  test.each([
    '12345',
    '.12345',
    '1.2345',
    '1_2345',
    '0xAbCdE',
    '0XABCDE',
    '0x_1F2AB',
    '0o12345',
    '0b10101',
    '1e+2345',
    '1.E-2345',
    '1e12345',
  ])('of a text whose only literal is %s', async (number) => {
    const text = `select ${number}`;
    expect(maskLiterals(text, (await parser.parse(text)).literals)).toBe('select ***');
  });

  test('a text too long to list its literals is erased whole', async () => {
    const text = `insert into t values ${"('secret'),".repeat(30_000)}('x')`;
    expect(maskLiterals(text, (await parser.parse(text)).literals)).toBe("'***'");
  });
});

describe('trees', () => {
  // How long it takes is not asked here: a busy machine is slow.
  const patient = new SqlParser({ watchdogMs: 15_000 });
  afterAll(() => patient.close());

  const treesOf = async (text: string, major?: number) =>
    (await patient.parse(text, major)).statements.map(({ tree }) => tree?.read());

  test('a statement comes with its tree, without places, each with its own', async () => {
    const [first, , third] = await treesOf(
      'select a from t where b = \'"location":5\'; begin; delete from t',
    );
    expect(first).toEqual({
      SelectStmt: {
        targetList: [{ ResTarget: { val: { ColumnRef: { fields: [{ String: { sval: 'a' } }] } } } }],
        fromClause: [{ RangeVar: { relname: 't', inh: true, relpersistence: 'p' } }],
        whereClause: {
          A_Expr: {
            kind: 'AEXPR_OP',
            name: [{ String: { sval: '=' } }],
            lexpr: { ColumnRef: { fields: [{ String: { sval: 'b' } }] } },
            rexpr: { A_Const: { sval: { sval: '"location":5' } } },
          },
        },
        limitOption: 'LIMIT_OPTION_DEFAULT',
        op: 'SETOP_NONE',
      },
    });
    expect(third).toMatchObject({ DeleteStmt: { relation: { relname: 't' } } });
    const [one] = (await parser.parse('select 1')).statements;
    expect(one?.tree?.read()).toBe(one?.tree?.read());
  });

  test.each([
    ['insert into t values (1)', 'InsertStmt'],
    ['update t set a = array[1, 2], b = 1 where a in (1, 2)', 'UpdateStmt'],
    ['merge into t using u on a = b when matched then delete', 'MergeStmt'],
    ['explain select 1', 'ExplainStmt'],
    ['copy (select 1) to stdout', 'CopyStmt'],
    ['create table t as select 1', 'CreateTableAsStmt'],
    ['create materialized view t as select 1', 'CreateTableAsStmt'],
    ['declare c cursor for select 1', 'DeclareCursorStmt'],
    ['prepare p as select 1', 'PrepareStmt'],
    ['commit', undefined],
    ['drop table t', undefined],
  ])('%s', async (text, kind) => {
    const [tree] = await treesOf(text);
    expect(Object.keys(tree ?? {})).toEqual(kind === undefined ? [] : [kind]);
    expect(JSON.stringify(tree ?? '')).not.toMatch(/location|list_start|list_end|stmt_len/);
  });

  test('it is the tree of what the server reads', async () => {
    const text = 'select json_scalar(1) from json_table';
    const [newer, older] = [await treesOf(text, 18), await treesOf('select json_scalar(1) from t', 15)];
    expect(JSON.stringify(newer)).toContain('JsonScalarExpr');
    expect(JSON.stringify(older)).toContain('FuncCall');
  });

  test('a large tree is left out, and so are those behind many', async () => {
    const large = `select ${Array.from({ length: 2_000 }, (_, i) => `c${i}`).join()}`;
    expect(await treesOf(`${large}; select 1`)).toEqual([undefined, expect.anything()]);
    const many = await treesOf(`select ${Array(300).fill('c').join()};`.repeat(70));
    const kept = many.filter((tree) => tree !== undefined).length;
    expect(kept).toBeGreaterThan(20);
    expect(kept).toBeLessThan(65);
    const deep = await treesOf(`select ${'not '.repeat(1_000)}a`);
    expect(deep).toEqual([expect.anything()]);
  });
});

describe('TextCache', () => {
  test('keeps the newest, by count and by length, and never long texts', () => {
    const cache = new TextCache<number>({ entries: 2, chars: 6, textChars: 4 });
    cache.set('a', 1);
    cache.set('b', 2);
    expect(cache.get('a')).toBe(1);
    cache.set('c', 3);
    expect([cache.get('a'), cache.get('b'), cache.get('c')]).toEqual([1, undefined, 3]);
    cache.set('dddd', 4);
    expect(cache.get('dddd')).toBe(4);
    cache.set('eeeee', 5);
    expect(cache.get('eeeee')).toBeUndefined();
    cache.set('ffff', 6);
    expect([cache.get('dddd'), cache.get('ffff')]).toEqual([undefined, 6]);
    cache.set('g', 7, 1);
    expect([cache.get('ffff'), cache.get('g')]).toEqual([6, 7]);
    cache.set('h', 8, 4);
    expect([cache.get('ffff'), cache.get('g'), cache.get('h')]).toEqual([undefined, undefined, 8]);
  });
});
