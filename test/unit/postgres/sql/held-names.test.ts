import { describe, expect, it } from 'vitest';
import type { Catalog } from '../../../../src/protocols/postgres/catalog/model/model.ts';
import {
  changesOf,
  type HeldName,
  heldNames,
} from '../../../../src/protocols/postgres/sql/meaning/held-names.ts';

/** One table, one view and one schema, as they were when the transaction began. */
const catalog = {
  relations: new Map([
    [1, { oid: 1, schema: 'public', name: 't' }],
    [2, { oid: 2, schema: 'public', name: 'v' }],
  ]),
  schemaName: (oid: number) => ({ 9: 'app', 10: 'pg_temp_3' })[oid],
} as unknown as Catalog;

const relation = (oid: number, now?: readonly [string, string, boolean?]): HeldName => ({
  kind: 'relation',
  oid,
  ...(now === undefined ? {} : { now: { schema: now[0], name: now[1], isView: now[2] ?? false } }),
});
const schema = (oid: number, name?: string): HeldName => ({
  kind: 'schema',
  oid,
  ...(name === undefined ? {} : { now: { schema: name, name, isView: false } }),
});
const told = (held: readonly HeldName[]) =>
  changesOf(held, catalog).map(({ schema, name = '*', change }) => `${change} ${schema}.${name}`);

describe('what a transaction holds for itself', () => {
  it.each([
    ['a table that is dropped', [relation(1)], ['gone public.t']],
    ['a table that is renamed', [relation(1, ['public', 'u'])], ['gone public.t', 'made public.u']],
    ['a table that is moved', [relation(1, ['app', 't'])], ['gone public.t', 'made app.t']],
    ['a table that is altered', [relation(1, ['public', 't'])], []],
    ['a view that is replaced', [relation(2, ['public', 'v', true])], ['gone public.v', 'made public.v']],
    ['a table that is made', [relation(7, ['public', 'n'])], ['made public.n']],
    ['one that came and went', [relation(7)], []],
    ['a schema that is locked', [schema(9, 'app')], []],
    ['a temporary one that is cleared', [schema(10, 'pg_temp_3')], ['gone pg_temp_3.*']],
    ['a schema that is renamed', [schema(9, 'b')], ['unclear app.*', 'unclear b.*']],
    ['a schema that is new', [schema(8, 'b')], []],
    ['a schema that is held and nothing else', [schema(9, 'app')], []],
    ['a schema that is dropped', [schema(9)], []],
  ])('%s', (_, held, expected) => {
    expect(told(held)).toEqual(expected);
  });

  it('has what came after what went, whatever the order it is told in', () => {
    const swapped = [relation(1, ['public', 'v']), relation(2, ['public', 't', true])];
    for (const held of [swapped, [...swapped].reverse()])
      expect(told(held).map((one) => one.split(' ')[0])).toEqual(['gone', 'gone', 'made', 'made']);
  });

  it('is read from an answer', () => {
    const json =
      '[["relation",1,null,null,false],["schema",9,"b","b",false],["relation",2,"public","w",true]]';
    expect(heldNames(json)).toEqual([relation(1), schema(9, 'b'), relation(2, ['public', 'w', true])]);
    expect(heldNames(null)).toEqual([]);
  });
});
