import type { ErrorCode } from '../../../core/errors.ts';
import type { Refusal } from '../../../enforcement/operation.ts';
import type { RefusalRule } from '../../../enforcement/refusals.ts';

interface RequestRefusal extends RefusalRule {
  /** Status of the answer, RFC 9110 §15. */
  readonly status: number;
}

/**
 * The words by which a request is refused for its form, whatever policy permits. Part of the contract: what is here keeps
 * its meaning. `docs/refusals.md` is made from it.
 */
export const REQUEST_REFUSALS = {
  'http-version': {
    status: 505,
    means: 'The request is of none of the versions 1.0, 1.1 and 2.',
    instead: 'Send it as HTTP/1.1 or HTTP/2.',
    next: 'correct',
  },
  method: {
    status: 405,
    means: 'The method is none of those that policy knows, which are written in capitals.',
    instead: 'Use GET, HEAD, OPTIONS, POST, PUT, PATCH or DELETE.',
    next: 'correct',
  },
  'request-target': {
    status: 400,
    means: 'The request names something else than a path at the target.',
    instead: 'Send the path and the query alone, beginning with one slash.',
    next: 'correct',
  },
  'target-too-long': {
    status: 414,
    means: 'The path or the query is longer than is read, or has too many parts.',
    instead: 'Send what is long in the body.',
    next: 'correct',
  },
  'percent-encoding': {
    status: 400,
    means: 'Something in the path or the query is not percent-encoded UTF-8.',
    instead: 'Encode it as UTF-8, each octet by a percent sign and two hexadecimal digits.',
    next: 'correct',
  },
  'path-ambiguous': {
    status: 400,
    means: 'Servers do not agree on what the path leads to.',
    instead: 'Send the path as the resource has it, without anything that is to be taken out of it.',
    next: 'correct',
  },
  'query-ambiguous': {
    status: 400,
    means: 'Servers do not agree on the parameters that the query has.',
    instead: 'Join parameters by an ampersand, and encode what is part of a value.',
    next: 'correct',
  },
  'header-malformed': {
    status: 400,
    means: 'A name or a value of a header is not well-formed.',
    instead: 'Send names that are tokens, and values without control characters.',
    next: 'correct',
  },
  'header-repeated': {
    status: 400,
    means: 'A header is there more than once, which can have only one value.',
    instead: 'Send it once.',
    next: 'correct',
  },
  'headers-too-large': {
    status: 431,
    means: 'There are more headers than are read, or one of them is too long.',
    instead: 'Send fewer or shorter headers.',
    next: 'less',
  },
  'connection-options': {
    status: 400,
    means: 'The header Connection would take away a header that the target is to have.',
    instead: 'Leave the header out, in place of naming it there.',
    next: 'correct',
  },
  framing: {
    status: 400,
    means: 'It is not certain where the body ends.',
    instead: 'Send either one length or the coding chunked.',
    next: 'correct',
  },
  'transfer-coding': {
    status: 501,
    means: 'The body is in a transfer coding other than chunked.',
    instead: 'Send it with its length, or chunked.',
    next: 'correct',
  },
  'body-not-expected': {
    status: 400,
    means: 'There is a body where the method has none.',
    instead: 'Send it without a body.',
    next: 'correct',
  },
  expectation: {
    status: 417,
    means: 'Something is expected other than 100-continue.',
    instead: 'Send it without the expectation.',
    next: 'correct',
  },
  upgrade: {
    status: 501,
    means: 'An upgrade is asked for to a protocol that is not carried, or not as it must be.',
    instead: 'Ask for it as an ordinary request.',
    next: 'correct',
  },
  'websocket-handshake': {
    status: 400,
    means: 'The handshake of a WebSocket is not well-formed.',
    instead: 'Send a key of 16 octets in base64, and each subprotocol once.',
    next: 'correct',
  },
  'websocket-version': {
    status: 426,
    means: 'The WebSocket is of none of the versions that are spoken.',
    instead: 'Open it in version 13.',
    next: 'correct',
  },
  'content-type': {
    status: 400,
    means: 'The type of the body is not well-formed.',
    instead: 'Name one media type, such as application/json.',
    next: 'correct',
  },
  'body-type': {
    status: 415,
    means: 'Rules look at what this body says, and it is of a kind that is not read.',
    instead: 'Send it as JSON in UTF-8 or as a form, without a content coding.',
    next: 'correct',
  },
  'body-malformed': {
    status: 400,
    means: 'Rules look at what this body says, and servers could read it in two ways, or not at all.',
    instead: 'Send well-formed JSON in which no name is there twice in one object.',
    next: 'correct',
  },
  'body-too-large': {
    status: 413,
    means: 'Rules look at what this body says, and it is longer or deeper than is read.',
    instead: 'Divide it into smaller requests.',
    next: 'less',
  },
  'operation-not-described': {
    status: 403,
    means: "The resource's OpenAPI file describes no such operation, or two that it could be.",
    instead: 'Use an operation that the API describes.',
    next: 'instead',
  },
  'parameter-not-described': {
    status: 400,
    means: "The query has a parameter that the resource's OpenAPI file does not describe for this operation.",
    instead: 'Use the parameters that the API describes, each as often as it says.',
    next: 'correct',
  },
  'content-type-not-described': {
    status: 415,
    means: "The body is of a type that the resource's OpenAPI file does not describe for this operation.",
    instead: 'Send a body of a type that the API describes.',
    next: 'correct',
  },
} as const satisfies Readonly<Record<string, RequestRefusal>>;

export type RequestRule = keyof typeof REQUEST_REFUSALS;

/** A request that goes nowhere, and why. */
export type Refused = Refusal<RequestRule>;

/** What to do is the rule's own word. Never throws. */
export function refused(rule: RequestRule, reason: string): Refused {
  const { status, instead } = REQUEST_REFUSALS[rule];
  const hint = `${instead.charAt(0).toLowerCase()}${instead.slice(1, -1)}`;
  return { code: codeOf(status), rule, reason, hint };
}

/** Whether it was refused: nothing that a request is read into has a rule. */
export function isRefused(read: object): read is Refusal {
  return 'rule' in read;
}

function codeOf(status: number): ErrorCode {
  if (status === 403) return 'ERR_DENIED';
  if (status === 413 || status === 414 || status === 431) return 'ERR_TOO_LARGE';
  return status === 400 ? 'ERR_SYNTAX' : 'ERR_UNSUPPORTED';
}
