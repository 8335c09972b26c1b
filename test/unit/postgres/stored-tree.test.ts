import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  isNode,
  readStoredTree,
  UnreadableTree,
} from '../../../src/protocols/postgres/catalog/stored-trees/tree.ts';
import { viewColumns } from '../../../src/protocols/postgres/catalog/stored-trees/view-columns.ts';

const query = (more: string, list: string) =>
  `({QUERY :commandType 1 :cteList <> :rtable ({RANGETBLENTRY :rtekind 0 :relid 77}) :setOperations <> ${more} :targetList (${list})})`;
const entry = (expr: string, name = 'a', number = 1, sort = 0) =>
  `{TARGETENTRY :expr ${expr} :resno ${number} :resname ${name} :ressortgroupref ${sort} :resjunk false}`;
const column = (attribute: number, up = 0) =>
  `{VAR :varno 1 :varattno ${attribute} :varlevelsup ${up} :location 7}`;

test.each([
  ['a null', '<>', null],
  ['a word', 'true', 'true'],
  ['a list', '(i 1 2)', ['i', '1', '2']],
  ['lists within lists', '((o 1) (b))', [['o', '1'], ['b']]],
  ['blanks and brackets with a backslash are part of a word', 'a\\ b\\(c\\}\\\\', 'a\\ b\\(c\\}\\\\'],
])('%s', (_, text, value) => {
  expect(readStoredTree(text)).toEqual(value);
});

test('a field has the value that follows, whatever it looks like, and a constant all of its octets', () => {
  const text = '{X :resname :relid :constvalue 4 [ -12 0 0 1 ] :relid 5 :of {Y :a "\\ :b"}}';
  const node = readStoredTree(text);
  if (!isNode(node)) throw new Error('no node');
  expect([...node.fields.keys()]).toEqual(['resname', 'constvalue', 'relid', 'of']);
  expect(node.fields.get('resname')).toBe(':relid');
  expect(node.fields.get('relid')).toBe('5');
});

test.each([
  ['nothing', ''],
  ['no end', '{X :a 1'],
  ['an end too many', '{X :a 1})'],
  ['a list without an end', '(1 2'],
  ['a field without a value', '{X :a}'],
  ['a field twice', '{X :a 1 :a 2}'],
  ['no field', '{X a 1}'],
  ['deeper than any', '('.repeat(100_000)],
])('is not a tree: %s', (_, text) => {
  expect(() => readStoredTree(text)).toThrow(UnreadableTree);
});

test.each([
  ['a column', query('', entry(column(2))), { columns: [[[77, 2]]], everywhere: [[77, -100]] }],
  ['a whole row', query('', entry(column(0))), { columns: [[[77, 0]]], everywhere: [[77, -100]] }],
  ['a system column', query('', entry(column(-1))), { columns: [[]], everywhere: [[77, -100]] }],
  [
    'a column within what is not known here, and beside it',
    query(`:more {NEWER :x (${column(3)})}`, entry(`{NEWER :args (${column(2)})}`)),
    {
      columns: [[[77, 2]]],
      everywhere: [
        [77, -100],
        [77, 3],
      ],
    },
  ],
  [
    'what rows are sorted by',
    query('', `${entry(column(2), 'a', 1, 1)} ${entry(column(4), 'b', 2)}`),
    {
      columns: [[[77, 2]], [[77, 4]]],
      everywhere: [
        [77, -100],
        [77, 2],
      ],
    },
  ],
])('%s', (_, tree, expected) => {
  const made = viewColumns(tree);
  expect(made?.columns).toEqual(expected.columns);
  expect(made?.everywhere.toSorted()).toEqual(expected.everywhere.toSorted());
});

const join = `{RANGETBLENTRY :rtekind 2 :joinaliasvars (${column(2)} {COALESCEEXPR :args (${column(3)})})}`;
const list = '{RANGETBLENTRY :rtekind 5 :values_lists ((i 1))}';
const within = (inside: string) => `{RANGETBLENTRY :rtekind 1 :subquery ${inside.slice(1, -1)}}`;
/** A query over something else in FROM, beside a table. */
const over = (second: string, list: string, set = '<>') =>
  query('', list)
    .replace(':relid 77})', `:relid 77} ${second})`)
    .replace(/:setOperations <>(?!.*:setOperations)/, `:setOperations ${set}`);
const second = (attribute: number) => column(attribute).replace('varno 1', 'varno 2');
const UNION =
  '{SETOPERATIONSTMT :op 0 :all true :larg {RANGETBLREF :rtindex 1} :rarg {RANGETBLREF :rtindex 2}}';

test.each([
  [
    'a column, and under another type',
    query('', `${entry(column(2))} ${entry(`{RELABELTYPE :arg ${column(3)}}`, 'b', 2)}`),
    [1, 2],
  ],
  [
    'what is computed, a whole row, a constant',
    query(
      '',
      `${entry(`{OPEXPR :args (${column(2)})}`)} ${entry(column(0), 'b', 2)} ${entry('{CONST :x 1}', 'c', 3)}`,
    ),
    [],
  ],
  ['a column of a subquery', over(within(query('', entry(column(5)))), entry(second(1))), [1]],
  [
    'what a subquery computes',
    over(within(query('', entry(`{FUNCEXPR :args (${column(5)})}`))), entry(second(1))),
    [],
  ],
  [
    'a column of a join, and one that is made of two',
    over(join, `${entry(second(1))} ${entry(second(2), 'b', 2)}`),
    [1],
  ],
  ['columns of both arms', over(within(query('', entry(column(5)))), entry(column(1)), UNION), [1]],
  ['a column beside a list of values', over(list, entry(column(1)), UNION), []],
])('carried: %s', (_, tree, carried) => {
  expect(viewColumns(tree)?.carried).toEqual(carried);
});

test.each([
  ['a column of a query that is not there', query('', entry(column(1, 3)))],
  ['a range table entry that is not there', query('', entry(column(1).replace('varno 1', 'varno 9')))],
  ['a number that is none', query('', entry(column(1).replace('varattno 1', 'varattno x')))],
  ['two actions', `${query('', entry(column(1))).slice(0, -1)} {QUERY})`],
  ['another command', query('', entry(column(1))).replace('commandType 1', 'commandType 3')],
  ['no query', '({SOMETHING :a 1})'],
])('every column is made of everything: %s', (_, tree) => {
  expect(viewColumns(tree)).toBeUndefined();
});

test('a chain that is too long is given up, and does not end the program', () => {
  const cte = (name: string, from: string) =>
    `{COMMONTABLEEXPR :ctename ${name} :ctequery {QUERY :commandType 1 :cteList <> :setOperations <>
      :rtable ({RANGETBLENTRY :rtekind 6 :ctename ${from} :ctelevelsup 1}) :targetList (${entry(column(1))})}}`;
  const all = Array.from({ length: 5_000 }, (_, index) => cte(`c${index}`, `c${index + 1}`)).join(' ');
  const tree = `({QUERY :commandType 1 :cteList (${all} ${cte('c5000', 'c0')}) :setOperations <>
    :rtable ({RANGETBLENTRY :rtekind 6 :ctename c0 :ctelevelsup 0}) :targetList (${entry(column(1))})})`;
  expect(viewColumns(tree)).toBeUndefined();
});

test('no text makes it do anything but say that it does not know', () => {
  const words = fc.constantFrom(
    '{',
    '}',
    '(',
    ')',
    'QUERY',
    'VAR',
    ':varno',
    ':rtable',
    ':a',
    '1',
    '<>',
    '\\',
    '""',
  );
  fc.assert(
    fc.property(fc.array(words, { maxLength: 40 }), (parts) => {
      expect(() => viewColumns(parts.join(' '))).not.toThrow();
    }),
  );
});
