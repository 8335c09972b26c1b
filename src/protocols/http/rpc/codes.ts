import type { RpcRule } from './refusals.ts';

/** Of what an implementation says by itself: policy did not allow it. @see https://modelcontextprotocol.io/specification/2026-07-28/basic#error-codes */
export const NOT_PERMITTED = -32010;

const CODES: Readonly<Partial<Record<string, number>>> = {
  'body-malformed': -32700,
  'rpc-message': -32600,
  'rpc-answer': -32600,
  'rpc-name': -32602,
  'rpc-not-described': -32601,
  'rpc-headers': -32020,
  'rpc-version': -32022,
} satisfies Partial<Record<RpcRule | 'body-malformed', number>>;

/** The code by which JSON-RPC, or the Model Context Protocol, calls a rule. */
export function codeOfRule(rule: string): number {
  return CODES[rule] ?? NOT_PERMITTED;
}
