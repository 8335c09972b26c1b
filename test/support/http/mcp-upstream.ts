/** A server of the Model Context Protocol that is written by hand, so that it can say whatever a case needs. */
import { answer, head, json } from './messages.ts';
import type { Answered, Heard } from './recording-upstream.ts';

/** Of no form that detectors know: it is masked for where it stands. */
export const MCP_SSN = 'ends with nine';
const CUSTOMER = { id: 7, name: 'Ann', ssn: MCP_SSN };

interface Asked {
  readonly id?: unknown;
  readonly method?: string;
  readonly params?: { readonly name?: string };
}

const RESULTS: Readonly<Record<string, (asked: Asked) => unknown>> = {
  initialize: () => ({
    protocolVersion: '2025-11-25',
    capabilities: {},
    serverInfo: { name: 's', version: '1' },
  }),
  'tools/list': () => ({
    tools: ['lookup', 'search', 'delete'].map((name) => ({ name, inputSchema: { type: 'object' } })),
  }),
  'prompts/list': () => ({ prompts: [{ name: 'greet' }, { name: 'secret' }] }),
  'resources/list': () => ({ resources: [{ uri: 'note://open' }, { uri: 'note://closed' }] }),
  'tools/call': ({ params }) =>
    params?.name === 'lookup'
      ? { content: [{ type: 'text', text: JSON.stringify(CUSTOMER) }], structuredContent: CUSTOMER }
      : { content: [{ type: 'text', text: 'done' }] },
};

function replyTo(asked: Asked): unknown[] {
  if (asked.id === undefined || asked.method === undefined) return [];
  const result = RESULTS[asked.method]?.(asked) ?? {};
  return [{ jsonrpc: '2.0', id: asked.id, result }];
}

function askedIn(body: Buffer): Asked | Asked[] {
  try {
    const asked = JSON.parse(body.toString()) as Asked | (Asked | null)[];
    return Array.isArray(asked) ? asked.filter((one) => one !== null) : asked;
  } catch {
    return [];
  }
}

/** Answers every request; one session for each handshake. */
export function mcpAnswers({ method, body }: Heard): Answered {
  if (method === 'GET') return [events([])];
  if (method === 'DELETE') return [answer('200 OK', [])];
  const asked = askedIn(body);
  const replies = [asked].flat().flatMap(replyTo);
  if (replies.length === 0) return [answer('202 Accepted', [])];
  const opens = [asked].flat().some((one) => one.method === 'initialize');
  const whole = json(Array.isArray(asked) ? replies : replies[0]);
  if (!opens) return [whole];
  const session = 'Content-Type: application/json\r\nMcp-Session-Id: session-1';
  return [Buffer.from(whole.toString('latin1').replace('Content-Type: application/json', session), 'latin1')];
}

/** A stream of messages that ends. */
export function events(messages: readonly unknown[]): Buffer {
  const body = messages.map((message) => `event: message\ndata: ${JSON.stringify(message)}\n\n`).join('');
  const octets = Buffer.from(body);
  const lines = ['Content-Type: text/event-stream', `Content-Length: ${octets.length}`];
  return Buffer.concat([Buffer.from(head('HTTP/1.1 200 OK', ...lines), 'latin1'), octets]);
}
