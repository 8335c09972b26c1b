import type { Refusal } from '../../../enforcement/operation.ts';
import { readJson } from '../request/body/json.ts';
import type { RequestRule } from '../request/refusals.ts';
import { elementsOf, type Member, membersOf, rootOf, type Span, stringAt } from './json-spans.ts';
import { type RpcRule, rpcRefused } from './refusals.ts';

/** Octets of a body that is read: all messages of a request together. */
export const MAX_MESSAGES = 4 * 1024 * 1024;
/** Messages of one batch: each is decided by itself. */
const MAX_BATCH = 64;
const MAX_ID = 256;

export type RpcRefused = Refusal<RpcRule | RequestRule>;

/** One message of a client, with where its parts stand in its text. */
export interface RpcMessage {
  readonly kind: 'request' | 'notification' | 'answer';
  /** As it stands in the body, octet for octet. */
  readonly text: string;
  /** Empty for an answer. */
  readonly method: string;
  /** Tells ids apart: `"1"` and `1` are two. Undefined for a notification. */
  readonly id: string | undefined;
  readonly params: Span | undefined;
  /** Of an answer. */
  readonly result: Span | undefined;
  readonly members: readonly Member[];
}

export interface RpcBody {
  readonly messages: readonly RpcMessage[];
  readonly batch: boolean;
}

/**
 * Reads what a client sends as JSON-RPC 2.0: one message, or a batch of 64 at most, as strictly as anybody does, so that
 * nobody reads another. No name is there twice in one object, in whatever case; messages have no members but their own; ids
 * are strings of 256 characters at most or integers that every reader keeps whole, and none is there twice.
 *
 * Pure, linear.
 *
 * @param octets The whole body.
 * @returns The messages in order, or why they are refused: `rpc-message`, `body-malformed`, `body-too-large`.
 * @see https://www.jsonrpc.org/specification
 */
export function readMessages(octets: Uint8Array): RpcBody | RpcRefused {
  const malformed = readJson(octets, () => undefined);
  if (malformed !== undefined) return malformed;
  const text = Buffer.from(octets.buffer, octets.byteOffset, octets.length).toString();
  const root = rootOf(text);
  const batch = elementsOf(text, root);
  if (batch?.length === 0) return rpcRefused('rpc-message', 'a batch without a message');
  if (batch !== undefined && batch.length > MAX_BATCH)
    return rpcRefused('rpc-message', `a batch of more than ${MAX_BATCH} messages`);
  const messages: RpcMessage[] = [];
  for (const { start, end } of batch ?? [root]) {
    const message = readMessage(text.slice(start, end));
    if (typeof message === 'string') return rpcRefused('rpc-message', message);
    messages.push(message);
  }
  const ids = messages.flatMap(({ kind, id }) => (kind === 'request' ? [id] : []));
  if (new Set(ids).size < ids.length) return rpcRefused('rpc-message', 'two requests have one id');
  return { messages, batch: batch !== undefined };
}

const MEMBERS: ReadonlySet<string> = new Set(['jsonrpc', 'id', 'method', 'params', 'result', 'error']);
const METHOD = /^[\x21-\x7e]{1,128}$/;

/** @returns What is wrong with it. */
function readMessage(text: string): RpcMessage | string {
  const members = membersOf(text, { start: 0, end: text.length });
  if (members === undefined) return 'a message is no object';
  const at = (name: string) => members.find((one) => one.name === name)?.value;
  if (!members.every(({ name }) => MEMBERS.has(name)))
    return 'a message has a member that is none of its own';
  const version = at('jsonrpc');
  if (version === undefined || stringAt(text, version) !== '2.0') return 'a message is not of version 2.0';
  const span = at('id');
  const id = span === undefined ? undefined : idAt(text, span);
  if (span !== undefined && id === undefined) return 'an id is no short string and no safe integer';
  const [method, params, result, error] = ['method', 'params', 'result', 'error'].map(at);
  if (method === undefined) {
    const one = (result === undefined) !== (error === undefined);
    if (!one || id === undefined || params !== undefined)
      return 'a message has neither a method nor an answer';
    return { kind: 'answer', text, method: '', id, params: undefined, result, members };
  }
  const name = stringAt(text, method);
  if (name === undefined || !METHOD.test(name)) return 'a method is no name';
  if (result !== undefined || error !== undefined) return 'a message has a method and an answer';
  if (params !== undefined && !/[{[]/.test(text.charAt(params.start)))
    return 'params are no object and no list';
  const kind = id === undefined ? 'notification' : 'request';
  return { kind, text, method: name, id, params, result: undefined, members };
}

/** @returns Undefined for what is no id. A text of its own, which keeps no other in memory. */
export function idAt(text: string, span: Span): string | undefined {
  const said = stringAt(text, span);
  if (said !== undefined) return said.length <= MAX_ID ? JSON.stringify(said) : undefined;
  const literal = text.slice(span.start, span.end);
  return /^(?:0|-?[1-9][0-9]{0,15})$/.test(literal) && Number.isSafeInteger(Number(literal))
    ? String(Number(literal))
    : undefined;
}
