/** The official server of the Model Context Protocol behind Node's, with sessions and streams of events. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import { z } from 'zod';

const CUSTOMER = { id: 7, name: 'Ann', ssn: '123-45-6789' };

/** @param heard Called with each tool that is called. */
function customers(heard: (tool: string) => void): McpServer {
  const server = new McpServer({ name: 'customers', version: '1' });
  const id = { id: z.number() };
  server.registerTool(
    'lookup',
    { inputSchema: id, outputSchema: { ...id, name: z.string(), ssn: z.string() } },
    () => {
      heard('lookup');
      return { content: [{ type: 'text', text: JSON.stringify(CUSTOMER) }], structuredContent: CUSTOMER };
    },
  );
  server.registerTool('delete', { inputSchema: { ...id, note: z.string() } }, ({ note }) => {
    heard('delete');
    return { content: [{ type: 'text', text: `deleted: ${note}` }] };
  });
  server.registerTool('roots', { inputSchema: {} }, async () => {
    heard('roots');
    const { roots } = await server.server.listRoots(undefined, { timeout: 2_000 });
    return { content: [{ type: 'text', text: JSON.stringify(roots) }] };
  });
  server.registerPrompt('greet', { argsSchema: { who: z.string() } }, ({ who }) => ({
    messages: [{ role: 'user', content: { type: 'text', text: `Greet ${who}` } }],
  }));
  const read = (uri: URL) => ({ contents: [{ uri: uri.href, text: 'a note' }] });
  server.registerResource('open', 'note://open', {}, read);
  return server;
}

export class OfficialMcpServer {
  /** Tools that were called since the last `clear`. */
  called: string[] = [];
  readonly #server: Server;
  readonly #sessions = new Map<string, StreamableHTTPServerTransport>();
  #count = 0;

  private constructor() {
    this.#server = createServer((request, response) => void this.#serve(request, response));
  }

  static async start(): Promise<OfficialMcpServer> {
    const official = new OfficialMcpServer();
    official.#server.listen(0, '127.0.0.1');
    await once(official.#server, 'listening');
    return official;
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  clear(): void {
    this.called = [];
  }

  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const known = this.#sessions.get(String(request.headers['mcp-session-id']));
    const transport = known ?? (await this.#opened());
    await transport.handleRequest(request, response);
  }

  async #opened(): Promise<StreamableHTTPServerTransport> {
    const transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: () => `session-${++this.#count}`,
      onsessioninitialized: (id) => {
        this.#sessions.set(id, transport);
      },
    });
    await customers((tool) => this.called.push(tool)).connect(transport as Transport);
    return transport;
  }
}
