import { plainNumber } from '../request/body/plain-number.ts';
import type { CanonicalRequest } from '../request/canonical.ts';
import type { Asked } from './asked.ts';
import { metaOf, nameOf, PROTOCOL_VERSION } from './asked.ts';
import { stringAt } from './json-spans.ts';
import type { RpcBody, RpcMessage, RpcRefused } from './message.ts';
import { isCarried, isStateless } from './methods.ts';
import { rpcRefused } from './refusals.ts';

const VERSION = 'mcp-protocol-version';
const NAMED: ReadonlySet<string> = new Set(['tools/call', 'resources/read', 'prompts/get']);

type Headers = Pick<CanonicalRequest, 'headers'>;

/**
 * Whether the headers of a request say of its message what the message says itself: somebody on the way, or the server, may
 * go by the one or by the other.
 *
 * Since 2026-07-28 `MCP-Protocol-Version`, `Mcp-Method` and, where something is named, `Mcp-Name` must be there, and one
 * message is sent at a time, no answer. A header that is there all the same is compared in every version.
 *
 * Pure.
 *
 * @param asked What the messages ask, without answers.
 * @returns Refused: `rpc-headers`, `rpc-version`.
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http#server-validation
 */
export function checkHeaders(
  request: Headers,
  { messages, batch }: RpcBody,
  asked: readonly Asked[],
): RpcRefused | undefined {
  const version = one(request, VERSION);
  if (version === TWICE) return mismatch(VERSION);
  if (version !== undefined && !isCarried(version))
    return rpcRefused('rpc-version', 'the version that the header names is not carried');
  for (const message of messages) {
    const meta = metaOf(message, PROTOCOL_VERSION);
    const said = meta && stringAt(message.text, meta);
    if (meta !== undefined && said !== version) return mismatch(VERSION);
  }
  const stateless = isStateless(version);
  if (stateless && (batch || messages.some(({ kind }) => kind === 'answer')))
    return rpcRefused('rpc-message', 'since 2026-07-28 one request or notification is sent at a time');
  for (const message of messages) {
    if (message.kind === 'answer') continue;
    const wrong = stateless && message.kind === 'request' ? incomplete(request, message) : undefined;
    if (wrong !== undefined) return wrong;
  }
  const named = asked.find(({ message }) => differs(request, message) !== undefined);
  if (named !== undefined) return mismatch(differs(request, named.message)!);
  return parametersDiffer(request, asked);
}

function incomplete(request: Headers, message: RpcMessage): RpcRefused | undefined {
  if (metaOf(message, PROTOCOL_VERSION) === undefined) return mismatch(VERSION);
  if (one(request, 'mcp-method') === undefined) return mismatch('mcp-method');
  return NAMED.has(message.method) && one(request, 'mcp-name') === undefined
    ? mismatch('mcp-name')
    : undefined;
}

/** @returns The header that says something else. */
function differs(request: Headers, message: RpcMessage): string | undefined {
  const method = one(request, 'mcp-method');
  if (method !== undefined && method !== message.method) return 'mcp-method';
  const name = one(request, 'mcp-name');
  if (name === undefined) return undefined;
  return name !== TWICE && NAMED.has(message.method) && decoded(name) === nameOf(message)
    ? undefined
    : 'mcp-name';
}

/** Which argument `Mcp-Param-…` repeats stands in the tool's schema; it is that of one of them at least. */
function parametersDiffer(request: Headers, asked: readonly Asked[]): RpcRefused | undefined {
  const given = request.headers.filter(([name]) => name.startsWith('mcp-param-'));
  if (given.length === 0) return undefined;
  if (new Set(given.map(([name]) => name)).size < given.length) return mismatch(given[0]![0]);
  const isOne = (text: string) => asked.some(({ values }) => values.has(text));
  const strange = given.find(([, value]) => {
    const text = decoded(value);
    if (text === undefined) return true;
    return !isOne(text) && !(/^-?\d+(?:\.\d+)?$/.test(text) && isOne(plainNumber(text)));
  });
  return strange === undefined ? undefined : mismatch(strange[0]);
}

const TWICE = Symbol('twice');

function one({ headers }: Headers, name: string): string | typeof TWICE | undefined {
  const found = headers.filter((field) => field[0] === name);
  return found.length > 1 ? TWICE : found[0]?.[1];
}

/** @returns Undefined for what is no base64 of UTF-8, or holds what a header must not. */
function decoded(value: string): string | undefined {
  const [, inside] = /^=\?base64\?([A-Za-z0-9+/]*={0,2})\?=$/.exec(value) ?? [];
  if (inside === undefined) return /^[\t\x20-\x7e]*$/.test(value) ? value : undefined;
  const octets = Buffer.from(inside, 'base64');
  if (octets.toString('base64') !== inside) return undefined;
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(octets);
  } catch {
    return undefined;
  }
}

function mismatch(name: string): RpcRefused {
  return rpcRefused(
    'rpc-headers',
    `the header ${name} is missing, is there twice, or is not as the message says`,
  );
}
