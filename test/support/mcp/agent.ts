/** The official client of the Model Context Protocol before `bin/hoopctl.js mcp`, as an agent's harness starts it. */
import { fileURLToPath } from 'node:url';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';

export const HOOPCTL_BIN = fileURLToPath(new URL('../../../bin/hoopctl.js', import.meta.url));

/** Why a tool did not do what it was called for. */
export interface Told {
  readonly code?: string;
  readonly status?: string;
  readonly rule?: string;
  readonly message: string;
  readonly reason?: string;
  readonly hint?: string;
  readonly retryable: boolean;
  readonly approval?: string;
  readonly approvals?: readonly string[];
  readonly untrusted?: string;
}

// biome-ignore lint/suspicious/noExplicitAny: tests read what they expect.
export type Answer = any;

export class McpAgent {
  readonly client: Client;
  readonly transport: StdioClientTransport;
  /** Everything that was answered, for what must never be in it. */
  said = '';
  stderr = '';
  readonly errors: Error[] = [];

  constructor(args: readonly string[], env: Readonly<Record<string, string>>) {
    this.client = new Client({ name: 'agent', version: '1.0.0' });
    this.transport = new StdioClientTransport({
      command: process.execPath,
      args: [HOOPCTL_BIN, 'mcp', ...args],
      env: { PATH: process.env['PATH'] ?? '', HOOPCTL_SECRET_STORE: 'file', ...env },
      stderr: 'pipe',
    });
    this.transport.stderr?.on('data', (chunk: Buffer) => {
      this.stderr += chunk.toString('utf8');
    });
    // What is no message on standard output ends here.
    this.client.onerror = (error) => this.errors.push(error);
  }

  static async start(args: readonly string[], env: Readonly<Record<string, string>>): Promise<McpAgent> {
    const agent = new McpAgent(args, env);
    await agent.client.connect(agent.transport);
    return agent;
  }

  /** @throws {Error} The tool refused. */
  async call(name: string, input: Record<string, unknown> = {}): Promise<Answer> {
    const result = await this.#called(name, input);
    if (result['isError'] === true) throw new Error(`${name}: ${textIn(result)}`);
    if (textIn(result) !== JSON.stringify(result['structuredContent']))
      throw new Error(`${name}: text and structure differ`);
    return result['structuredContent'];
  }

  /** @throws {Error} The tool did not refuse. */
  async refusal(name: string, input: Record<string, unknown> = {}): Promise<Told> {
    const result = await this.#called(name, input);
    if (result['isError'] !== true) throw new Error(`${name} was not refused: ${textIn(result)}`);
    return (JSON.parse(textIn(result)) as { error: Told }).error;
  }

  /** Either what it gives, or why not. */
  async attempt(
    name: string,
    input: Record<string, unknown> = {},
  ): Promise<{ readonly value: Answer; readonly told: Told | undefined }> {
    const result = await this.#called(name, input);
    if (result['isError'] !== true) return { value: result['structuredContent'], told: undefined };
    return { value: undefined, told: (JSON.parse(textIn(result)) as { error: Told }).error };
  }

  /** Whatever it says. */
  async raw(name: string, input: Record<string, unknown> = {}): Promise<string> {
    return textIn(await this.#called(name, input));
  }

  close(): Promise<void> {
    return this.client.close();
  }

  async #called(name: string, input: Record<string, unknown>): Promise<Record<string, unknown>> {
    const result = await this.client.callTool({ name, arguments: input }, undefined, { timeout: 90_000 });
    this.said += textIn(result);
    return result;
  }
}

function textIn(result: Record<string, unknown>): string {
  const [first] = result['content'] as readonly { readonly text?: string }[];
  return first?.text ?? '';
}
