import { describe, expect, it } from 'vitest';
import { idAt } from '../../../../src/protocols/http/rpc/message.ts';
import { McpSession, McpSessions } from '../../../../src/protocols/http/rpc/sessions.ts';

const tool = (result: string) => ({ method: 'tools/call', result });
const results = (session: McpSession, id: string, again = false) =>
  session.under(id, again).map((one) => one.result);

describe('a session that has a name', () => {
  it('H24: knows all that was ever sent under an id, each once', () => {
    const session = new McpSession(true);
    for (const one of ['a', 'b', 'a']) session.sent('1', tool(one));
    session.over('1', tool('a'));
    expect(results(session, '1', true)).toEqual(['a', 'b']);
  });

  it('takes much under one id for anything', () => {
    const session = new McpSession(true);
    for (let at = 0; at < 20; at++) session.sent('1', tool(`${at}`));
    expect(results(session, '1')).toContain(undefined);
    expect(results(session, '1').length).toBeLessThanOrEqual(4);
  });

  it('knows of nothing that comes again once it has forgotten an id', () => {
    const session = new McpSession(true);
    for (let id = 0; id < 1024; id++) session.sent(`${id}`, tool('a'));
    expect(results(session, '7', true)).toEqual(['a']);
    session.sent('1024', tool('a'));
    session.sent('0', tool('b'));
    expect(results(session, '0')).toEqual(['b']);
    expect(results(session, '0', true)).toEqual([]);
  });
});

it('without a name it knows what is under way', () => {
  const session = new McpSession(false);
  const [one, other] = [tool('a'), tool('a')];
  session.sent('1', one);
  session.sent('1', other);
  session.over('1', one);
  expect(results(session, '1')).toEqual(['a']);
  expect(results(session, '1', true)).toEqual([]);
  session.over('1', other);
  expect(results(session, '1')).toEqual([]);
});

it('the session that was not used longest is forgotten', () => {
  const sessions = new McpSessions();
  for (let at = 0; at < 64; at++) sessions.open('/mcp', `${at}`);
  sessions.get('/mcp', '0');
  sessions.open('/mcp', '64');
  expect(['0', '1', '2'].map((id) => sessions.get('/mcp', id) !== undefined)).toEqual([true, false, true]);
});

it.each(['0', '-9007199254740991', '9007199254740991'])('an id is the same text: %s', (id) => {
  expect(idAt(` ${id} `, { start: 1, end: id.length + 1 })).toBe(id);
});
