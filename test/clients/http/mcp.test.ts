/** The official client of the Model Context Protocol against the official server, with nothing and with hoopd between them. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { OfficialMcpServer } from '../../support/clients/mcp-server.ts';
import { ALLOW_ALL, type Stack, startStack } from '../../support/stack.ts';

const run = promisify(execFile);
const CLIENT = new URL('../../support/clients/mcp-client.ts', import.meta.url).pathname;

/** One tool is denied, another masked, and what the server asks is not answered. */
const GUARDED = `
@id("use") permit (principal, action in [Action::"connect", Action::"mcp.use", Action::"mcp.prompt"], resource);
@id("http") permit (principal, action in [Action::"http.get", Action::"http.delete"], resource is Endpoint)
when { resource.path == "/mcp" };
@id("tools") permit (principal, action == Action::"mcp.call", resource is McpTool);
@id("nobody-deletes") @reason("customers are kept") forbid (principal, action == Action::"mcp.call", resource is McpTool)
when { resource.folded == "delete" };
@id("show") permit (principal, action == Action::"reveal", resource);
@id("pii") @mask("redact") forbid (principal, action == Action::"reveal", resource is Field)
when { resource.tags.contains("pii.national-id") };
`;

let server: OfficialMcpServer;
let stack: Stack;

beforeAll(async () => {
  server = await OfficialMcpServer.start();
  stack = await startStack({
    resources: () => `  api:
    protocol: http
    target: { url: 'http://127.0.0.1:${server.port}' }
    credentials: {}
    api: { mcp: [/mcp] }
    classification: { results: { lookup: { $.ssn: [pii.national-id] } } }`,
  });
});

afterAll(async () => {
  await stack?.stop();
  server?.stop();
});

async function through(...args: string[]): Promise<string> {
  const command = [process.execPath, CLIENT, ...args];
  const { stdout, stderr, exitCode } = await stack.hoopctl(['connect', '--bearer', 'api', '--', ...command]);
  expect(exitCode, stderr).toBe(0);
  return stdout;
}

it('is given what the server itself gives, octet for octet, where everything is allowed', async () => {
  await stack.reload(ALLOW_ALL);
  const env = { ...process.env, API_URL: `http://127.0.0.1:${server.port}` };
  const { stdout: direct } = await run(process.execPath, [CLIENT, '--octets'], { env });
  expect(direct).toContain('123-45-6789');
  expect(direct).toContain('file:///work');
  expect(await through('--octets')).toBe(direct);
});

it('H24: is refused one tool and has another masked by policy, and works on', async () => {
  await stack.reload(GUARDED);
  server.clear();
  const shown = await through();
  const line = (what: string) => shown.split('\n').find((one) => one.startsWith(`${what} `)) ?? '';
  expect(line('tools')).toBe('tools ["lookup","roots"]');
  expect(line('lookup')).toContain('"structuredContent":{"id":7,"name":"Ann","ssn":"***"}');
  expect(shown).not.toContain('123-45-6789');
  expect(line('delete')).toMatch(/McpError.*-32010.*customers are kept/);
  expect(line('roots')).toContain('"isError":true');
  expect(line('greet')).toContain('Greet Ann');
  expect(line('resources')).toBe('resources {"resources":[]}');
  expect(line('read')).toMatch(/McpError.*-32010/);
  expect(line('ping')).toBe('ping {}');
  expect(server.called).toEqual(['lookup', 'roots']);
});
