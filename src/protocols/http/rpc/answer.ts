import { edited, type Member, membersOf, only, type Span } from './json-spans.ts';
import type { RpcMessage } from './message.ts';

/** What somebody is told in the place of an answer of the server's. */
export interface RpcError {
  readonly code: number;
  readonly message: string;
  /** Members that denials have in every protocol. */
  readonly data: object;
}

/** An answer with an error. Pure. @param id As JSON has it; `null`: it is not known. @see JSON-RPC 2.0 §5 */
export function errorMessage(id: string, error: RpcError): string {
  return `{"jsonrpc":"2.0","id":${id},"error":${JSON.stringify(error)}}`;
}

/** Members by which one call of the same differs from the next, and that change nothing of what it does. */
const OF_ONE_CALL: ReadonlySet<string> = new Set(['progressToken', 'traceparent', 'tracestate', 'baggage']);

/** The message as a yes to it covers it: without its id, unless that says what is answered. Pure. */
export function meantBy({ kind, text, members, params }: RpcMessage): Buffer {
  const ids = kind === 'answer' ? [] : members.filter(({ name }) => name === 'id');
  const id = ids.map(({ value }) => value);
  const meta = params === undefined ? [] : metaMembers(text, params);
  const ofOneCall = meta.filter(({ name }) => OF_ONE_CALL.has(name)).map(({ value }) => value);
  return Buffer.from(
    edited(
      text,
      [...id, ...ofOneCall].map((place) => ({ ...place, by: 'null' })),
    ),
  );
}

function metaMembers(text: string, params: Span): readonly Member[] {
  const meta = only(membersOf(text, params), '_meta');
  return (meta && membersOf(text, meta)) ?? [];
}
