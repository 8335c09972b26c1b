import type { ErrorCode } from '../../../core/errors.ts';
import type { Refusal } from '../../../enforcement/operation.ts';
import type { RefusalRule } from '../../../enforcement/refusals.ts';

interface RpcRefusal extends RefusalRule {
  /** Status of the answer, RFC 9110 §15. */
  readonly status: number;
}

/**
 * The words by which a message of JSON-RPC is refused for its form, whatever policy permits. Part of the contract: what is
 * here keeps its meaning. `docs/refusals.md` is made from it.
 */
export const RPC_REFUSALS = {
  'rpc-message': {
    status: 400,
    means: 'The body is no message of JSON-RPC 2.0 that everybody reads alike.',
    instead: 'Send a request, a notification or an answer with the members that it must have and no others.',
    next: 'correct',
  },
  'rpc-name': {
    status: 400,
    means: 'A tool, a prompt or a resource is called by a name that servers could read in two ways.',
    instead: 'Call it as the server lists it, without anything that is to be taken out of the name.',
    next: 'correct',
  },
  'rpc-headers': {
    status: 400,
    means:
      'Headers say something else of the message than the message itself, or one that must be there is missing.',
    instead: 'Send Mcp-Method, Mcp-Name and MCP-Protocol-Version as the message has them.',
    next: 'correct',
  },
  'rpc-version': {
    status: 400,
    means: 'The message is of a version of the Model Context Protocol that is not carried.',
    instead: 'Speak 2025-03-26, 2025-06-18, 2025-11-25 or 2026-07-28.',
    next: 'correct',
  },
  'rpc-session': {
    status: 404,
    means: 'The session of the Model Context Protocol is none that was opened here, by you.',
    instead: 'Initialize a new one, without Mcp-Session-Id.',
    next: 'reconnect',
  },
  'rpc-answer': {
    status: 400,
    means: 'It answers what the server has not asked.',
    instead: 'Answer what you are asked, once.',
    next: 'correct',
  },
  'rpc-not-described': {
    status: 403,
    means: 'The route carries JSON-RPC alone, and by this method nothing that is described.',
    instead: 'Call a method that the protocol has, or that the resource is configured to have there.',
    next: 'instead',
  },
} as const satisfies Readonly<Record<string, RpcRefusal>>;

export type RpcRule = keyof typeof RPC_REFUSALS;

/** What to do is the rule's own word. Never throws. */
export function rpcRefused(rule: RpcRule, reason: string): Refusal<RpcRule> {
  const { status, instead } = RPC_REFUSALS[rule];
  const code: ErrorCode = status === 400 ? 'ERR_SYNTAX' : 'ERR_DENIED';
  return { code, rule, reason, hint: `${instead.charAt(0).toLowerCase()}${instead.slice(1, -1)}` };
}
