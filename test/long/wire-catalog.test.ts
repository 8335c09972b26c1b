import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import {
  bind,
  describeStatement,
  execute,
  functionCall,
  line,
  parse,
  query,
  type RawClient,
  rawLogin,
  sync,
} from '../support/postgres/raw-client.ts';
import { type Stack, startStack, type Tunnel } from '../support/stack.ts';
import { timePasses } from '../support/waiting.ts';

let stack: Stack;
let tunnel: Tunnel;
let client: RawClient;

beforeAll(async () => {
  stack = await startStack();
  tunnel = await stack.tunnel();
});

afterAll(async () => {
  await tunnel?.close();
  await stack?.stop();
});

beforeEach(async () => {
  await stack.postgres.psql('ALTER ROLE hoop CONNECTION LIMIT -1');
  client = await rawLogin(tunnel);
  await client.ask(query("PREPARE s AS SELECT 1; SELECT 'warm'"));
  await client.ask(parse('p', 'SELECT 2'), sync);
});

afterEach(() => client.close());

/** No more connections for the gateway, and its own is gone: what it knows grows old. */
async function loseTheCatalog(): Promise<void> {
  await stack.postgres.psql(`ALTER ROLE hoop CONNECTION LIMIT 0;
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'hoopd catalog'`);
  await timePasses(2500, 'what is known of the catalog holds for two seconds');
}

const REFUSED = ['ErrorResponse 58000', 'ReadyForQuery I'];

test.each([
  ['a query', [query('SELECT 1')]],
  ['a query of a prepared statement', [query('EXECUTE s')]],
  ['Parse, Bind and Execute', [parse('', 'SELECT 1'), bind('', ''), execute(''), sync]],
  ['a Bind of what was parsed before', [bind('', 'p'), execute(''), sync]],
  ['a Bind of what was prepared before', [bind('', 's'), execute(''), sync]],
  ['a Describe of what was parsed before', [describeStatement('p'), sync]],
  ['a function call', [functionCall(1397, '-1')]],
])('while the catalog cannot be read %s is refused, and the session lives on', async (_, messages) => {
  await loseTheCatalog();
  client.send(...messages);
  const answers = await client.untilReady();
  expect(answers.map(line)).toEqual(REFUSED);
  expect(JSON.stringify(answers)).toContain(Buffer.from('catalog-unavailable').toJSON().data.join(','));
  await stack.postgres.psql('ALTER ROLE hoop CONNECTION LIMIT -1');
  expect(await client.ask(query('SELECT 3'))).toContain('DataRow 3');
  expect(await client.ask(bind('', 'p'), execute(''), sync)).toContain('DataRow 2');
});
