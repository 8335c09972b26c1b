import { afterAll, describe, expect, test } from 'vitest';
import { syntaxReason } from '../../../../src/protocols/postgres/reading/syntax-reason.ts';
import { SqlParser } from '../../../../src/protocols/postgres/sql/parse/parser.ts';

const parser = new SqlParser();
afterAll(() => parser.close());

async function reasonOf(text: string): Promise<string> {
  const error = await parser.parse(text).then(
    () => new Error('it parses'),
    (thrown: Error) => thrown,
  );
  return syntaxReason(error.message, text);
}

describe('the reason of what does not parse', () => {
  test.each([
    ['selec 1', 'syntax error at or near "selec"'],
    ['select 1 from', 'syntax error at end of input'],
    ['select (1))', 'syntax error at or near ")"'],
  ])('%s: says where, as PostgreSQL does', async (text, reason) => {
    expect(await reasonOf(text)).toBe(reason);
  });

  test.each([
    ["select 1, '123-45-6789"],
    ["update t set ssn '123-45-6789' where id = 1"],
    ["select 1 where name = 'O'6789' or true"],
    ["select E'\\u12' || '6789'"],
    ['select 1 "6789'],
    ['select 1 $x$6789'],
    ["select $a$ $a$ 6789 '"],
    ['update t set pin 6789'],
    ["alter role a password 'it's-6789'"],
    ["select U&'\\6789x"],
  ])('%s: holds no piece of a value', async (text) => {
    const reason = await reasonOf(text);
    expect(reason).not.toContain('6789');
    expect(reason).not.toBe('it parses');
    expect(reason.length).toBeGreaterThan(5);
  });

  test('a word that a stray quote has left outside is one of a value, too', async () => {
    expect(await reasonOf("select 1 where name = 'O'Brien'")).toBe('syntax error');
    expect(await reasonOf("select 'O'Brien and 'x'")).not.toContain('Brien');
  });
});
