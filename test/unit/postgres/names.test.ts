import { describe, expect, test } from 'vitest';
import { NameTable } from '../../../src/protocols/postgres/reading/names.ts';

describe('names as the server keeps them', () => {
  test('a name staged in the same batch is known at once, from another batch only when confirmed', () => {
    const names = new NameTable<string>(10);
    const staged = names.stage('a', 'select 1', 0);
    expect(names.lookup('a', 0)).toEqual({ state: 'known', value: 'select 1' });
    expect(names.lookup('a', 1)).toEqual({ state: 'unsettled' });
    names.commit(staged);
    expect(names.lookup('a', 1)).toEqual({ state: 'known', value: 'select 1' });
  });

  test('a Parse that the server refuses leaves the old statement in force', () => {
    const names = new NameTable<string>(10);
    names.commit(names.stage('a', 'delete from orders', 0));
    const second = names.stage('a', 'select 1', 1);
    names.discard(second);
    expect(names.lookup('a', 2)).toEqual({ state: 'known', value: 'delete from orders' });
  });

  test('of several staged in one batch the last counts, a removal too', () => {
    const names = new NameTable<string>(10);
    names.stage('a', 'one', 0);
    names.stage('a', 'two', 0);
    expect(names.lookup('a', 0)).toEqual({ state: 'known', value: 'two' });
    names.stage('a', undefined, 0);
    expect(names.lookup('a', 0)).toEqual({ state: 'unknown' });
  });

  test('forgets what is doomed and tells it', () => {
    const names = new NameTable<string>(10);
    for (const name of ['a', 'b', 'c']) names.commit(names.stage(name, name, 0));
    expect(names.forget((value) => value !== 'b')).toEqual(['a', 'c']);
    expect(names.lookup('a', 0)).toEqual({ state: 'unknown' });
    expect(names.lookup('b', 0)).toEqual({ state: 'known', value: 'b' });
  });

  test('is full at its limit, staged names included', () => {
    const names = new NameTable<string>(2);
    names.commit(names.stage('a', 'a', 0));
    names.stage('b', 'b', 0);
    expect(names.hasRoom(1, 0)).toBe(false);
  });
});
