/** The official client of the Model Context Protocol, as it is. Prints every answer that it was given, octet for octet. */
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import { ListRootsRequestSchema } from '@modelcontextprotocol/sdk/types.js';

const { API_URL = '', API_TOKEN } = process.env;
const headers = API_TOKEN === undefined ? undefined : { Authorization: `Bearer ${API_TOKEN}` };
const bodies: Promise<string>[] = [];

/** Keeps what came beside the client's own reading; its stream for news never ends, and is left alone. */
async function keeping(input: string | URL, init?: RequestInit): Promise<Response> {
  if (init?.method !== 'POST') return fetch(input, init);
  // In the order of the requests: answers come as they like.
  const { promise, resolve } = Promise.withResolvers<string>();
  bodies.push(promise);
  const answer = await fetch(input, init);
  const { status } = answer;
  if (answer.body === null) resolve(`${status}`);
  if (answer.body === null) return answer;
  const [kept, read] = answer.body.tee();
  void new Response(kept)
    .text()
    .then((text) => resolve(`${status} ${answer.headers.get('content-type')} ${text}`));
  return new Response(read, answer);
}

const client = new Client({ name: 'client', version: '1' }, { capabilities: { roots: {} } });
client.setRequestHandler(ListRootsRequestSchema, () => ({ roots: [{ uri: 'file:///work', name: 'work' }] }));
const transport = new StreamableHTTPClientTransport(new URL('/mcp', API_URL), {
  fetch: keeping,
  ...(headers === undefined ? {} : { requestInit: { headers } }),
});
await client.connect(transport as Transport);

async function said(what: string, act: () => Promise<unknown>): Promise<void> {
  const answer = await act().catch((error: unknown) => ({ failed: String(error) }));
  process.stdout.write(`${what} ${JSON.stringify(answer)}\n`);
}

await said('tools', async () => (await client.listTools()).tools.map(({ name }) => name));
await said('lookup', () => client.callTool({ name: 'lookup', arguments: { id: 7 } }));
await said('delete', () => client.callTool({ name: 'delete', arguments: { id: 7, note: 'é' } }));
await said('roots', () => client.callTool({ name: 'roots', arguments: {} }));
await said('missing', () => client.callTool({ name: 'missing', arguments: {} }));
await said('prompts', () => client.listPrompts());
await said('greet', () => client.getPrompt({ name: 'greet', arguments: { who: 'Ann' } }));
await said('resources', () => client.listResources());
await said('read', () => client.readResource({ uri: 'note://open' }));
await said('ping', () => client.ping());
await transport.terminateSession();
await client.close();
if (process.argv.includes('--octets'))
  for (const body of await Promise.all(bodies)) process.stdout.write(`${JSON.stringify(body)}\n`);
