import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse, type RawClient, rawLogin, sync } from '../../support/postgres/raw-client.ts';
import { type Stack, startStack, type Tunnel } from '../../support/stack.ts';

/** Everything but what somebody's own function does. */
const NO_USER_FUNCTIONS = `
@id("all") permit (principal, action, resource);
@id("no-functions") forbid (principal, action == Action::"sql.call", resource is Function) when { resource.class == "user" };
`;
const FIXTURE = `
CREATE TYPE tag AS (v text);
CREATE FUNCTION to_tag(text) RETURNS tag LANGUAGE plpgsql AS 'begin return row($1)::tag; end';
CREATE CAST (text AS tag) WITH FUNCTION to_tag(text) AS IMPLICIT;
CREATE TABLE notes (id int, tag tag);
ALTER TABLE notes OWNER TO hoop;`;

const TEXT_OID = 25;
const INSERT = 'INSERT INTO notes (tag) VALUES ($1)';

let stack: Stack;
let tunnel: Tunnel;

beforeAll(async () => {
  stack = await startStack({ policy: NO_USER_FUNCTIONS, sql: FIXTURE });
  tunnel = await stack.tunnel();
});

afterAll(async () => {
  await tunnel?.close();
  await stack?.stop();
});

const denied = async (client: RawClient, sql: string, types: readonly number[]) =>
  (await client.ask(parse('', sql, types), sync)).some((line) => line.startsWith('ErrorResponse 42501'));

test.each([
  ['open first', [false, true, false, true]],
  ['given first', [true, false, true, false]],
])('a plan holds for the types that parameters are given, and no others: %s', async (_, expected) => {
  const client = await rawLogin(tunnel);
  const found: boolean[] = [];
  for (const given of expected) found.push(await denied(client, INSERT, given ? [TEXT_OID] : []));
  expect(found).toEqual(expected);
  expect(await denied(client, 'SELECT id FROM notes WHERE id = $1', [23])).toBe(false);
  client.close();
});
