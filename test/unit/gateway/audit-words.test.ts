import { expect, test } from 'vitest';
import { writtenOut } from '../../../src/gateway/api/audit-words.ts';
import { composeVocabulary } from '../../../src/gateway/compose/vocabulary.ts';
import { PROTOCOLS } from '../../../src/protocols/index.ts';

const vocabulary = composeVocabulary(PROTOCOLS);
const actionOf = (action: string) => writtenOut({ action }, vocabulary).action;

test('an action is looked for by its name, by what names begin with, and by its group', () => {
  expect(actionOf('sql.select')).toBe('sql.select');
  expect(actionOf('SQL.*')).toBe('sql');
  expect(actionOf('http.get,ssh')).toBe('http.get,ssh');
  expect(actionOf('sql.write')?.split(',')).toEqual(
    expect.arrayContaining(['sql.insert', 'sql.update', 'sql.delete']),
  );
});

test.each([
  ['sql.slect', 'did you mean sql.select?'],
  ['sel', 'all of a group are such as'],
  ['sql.select,', 'all of a group are such as'],
])('%s is no action, and that is said', (word, hint) => {
  expect(() => actionOf(word)).toThrow(
    expect.objectContaining({ code: 'ERR_USAGE', hint: expect.stringContaining(hint) }),
  );
});

test('types are written out, and what is not asked for stays away', () => {
  expect(writtenOut({ type: 'session.*', agent: 'a' }, vocabulary)).toEqual({
    agent: 'a',
    type: 'session.started,session.refused,session.ended,session.killed',
  });
  expect(() => writtenOut({ type: 'sesion.ended' }, vocabulary)).toThrow(
    expect.objectContaining({ hint: expect.stringContaining('did you mean session.ended?') }),
  );
  expect(writtenOut({ type: '', action: '' }, vocabulary)).toEqual({ type: '', action: '' });
  expect(() => actionOf('x'.repeat(2000))).toThrow('longer than');
});
