import { isUtf8 } from 'node:buffer';
import { createHash } from 'node:crypto';
import type { Original } from '../../../audit/event.ts';
import type { Approvable, ApprovalWait, Hold, MaskedData } from '../../../enforcement/operation.ts';
import type { Question } from '../../stream/guard.ts';
import type { CanonicalRequest } from '../request/canonical.ts';
import type { Field } from '../request/fields/read-fields.ts';
import type { Reply } from './incoming.ts';
import type { RequestBody } from './request-body.ts';

export interface HeldRequest {
  readonly request: CanonicalRequest;
  /** As `Understood.meant`. */
  readonly meant?: string | undefined;
  /** What of its body is meant. */
  readonly body: Pick<RequestBody, 'whole'>;
  readonly reply: Reply;
  /** Tells the client that it waits, where it can be told by other means than an answer. */
  readonly tell?: ((hold: Hold) => void) | undefined;
  /** What is masked in the answer. */
  readonly masked: () => readonly MaskedData[];
  /** Aborted when nobody waits any more. */
  readonly signal: AbortSignal;
}

/**
 * What an approval covers of a request, and how its client waits: in silence, since a client may take an answer before the
 * answer for the answer. One that prefers to be told gets a `102 Processing`, and one that prefers not to wait a `202`.
 */
export function approvableRequest(question: Omit<Question, 'approvable'>, held: HeldRequest): Approvable {
  return new RequestApproval(question, held);
}

/** A class, since V8 keeps what an object with getters of its own was made of until it collects all. */
class RequestApproval implements Approvable {
  readonly #question: Omit<Question, 'approvable'>;
  readonly #held: HeldRequest;
  #original: Original | undefined;

  constructor(question: Omit<Question, 'approvable'>, held: HeldRequest) {
    this.#question = question;
    this.#held = held;
  }

  async exact(): Promise<string> {
    const { request, body, meant } = this.#held;
    if (meant !== undefined) return hashOf(meant);
    const octets = request.body === 'none' ? Buffer.alloc(0) : await body.whole();
    this.#original = originalOf(request, octets);
    return exactly(request, octets);
  }

  get original(): Original | undefined {
    return this.#original;
  }

  get masked(): readonly MaskedData[] {
    return this.#held.masked();
  }

  get wait(): ApprovalWait | undefined {
    const { request, reply, tell, signal } = this.#held;
    if (prefers(request, 'respond-async')) return undefined;
    return {
      signal,
      told: (hold) => {
        if (prefers(request, 'hoop-approval')) reply.inform(102, noticeOf(hold));
        tell?.(hold);
      },
      again: () => ({ ...this.#question, approvable: this }),
    };
  }
}

/** Whether the client has said so: RFC 7240 §2. */
export function prefers({ headers }: CanonicalRequest, preference: string): boolean {
  return headers.some(
    ([name, value]) =>
      name === 'prefer' &&
      value.split(',').some((one) => one.split(';')[0]!.trim().toLowerCase() === preference),
  );
}

/** Tells one call from another of the same request: of no meaning for what it does. */
const OF_ONE_CALL: ReadonlySet<string> = new Set([
  'baggage',
  // Another one each time that kubectl is called.
  'kubectl-session',
  'last-event-id',
  'mcp-session-id',
  'prefer',
  'traceparent',
  'tracestate',
]);

function exactly({ method, path, query, headers, upgrade }: CanonicalRequest, body: Buffer): string {
  const meant = [...headers.filter(([name]) => !OF_ONE_CALL.has(name)), ...handshakeOf(upgrade)];
  const hash = createHash('sha256').update(body).digest('hex');
  return hashOf(JSON.stringify([method, path, query, meant, hash]));
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** What is meant by a handshake, whoever makes it. */
function handshakeOf(upgrade: CanonicalRequest['upgrade']): Field[] {
  if (upgrade === undefined) return [];
  return [
    ['upgrade', upgrade.protocol],
    ...upgrade.subprotocols.map((one): Field => ['sec-websocket-protocol', one]),
  ];
}

/** What those who decide are shown of a body, octets; of a longer one they see the length and the hash of the whole. */
const SHOWN_BYTES = 64 * 1024;

/** All that a yes covers, as people read it. Pure. */
function originalOf({ method, path, query, headers, upgrade }: CanonicalRequest, body: Buffer): Original {
  const fields = [...headers, ...handshakeOf(upgrade)]
    .filter(([name]) => !OF_ONE_CALL.has(name))
    .map(([name, value]) => `${name}: ${value}`);
  return {
    request: `${method} ${path}${query}`,
    ...(fields.length === 0 ? {} : { fields: fields.join('\n') }),
    ...(body.length === 0 ? {} : shownBody(body)),
  };
}

const CUT = 'only a part of the body is shown';

function shownBody(body: Buffer): Original {
  const hash = createHash('sha256').update(body).digest('hex');
  // Before it, so that nobody takes the beginning for the whole.
  const cut =
    body.length > SHOWN_BYTES
      ? { [CUT]: `the first ${SHOWN_BYTES} of ${body.length} octets; SHA-256 of all ${hash}` }
      : {};
  const part = body.subarray(0, SHOWN_BYTES);
  if (isUtf8(body)) return { ...cut, body: part.toString() };
  return { ...cut, 'body in base64': part.toString('base64') };
}

function noticeOf({ id, approvals, waitsUntil }: Hold): Field[] {
  return [
    ['hoop-approval', id],
    [
      'hoop-approval-of',
      approvals
        .map((name) => JSON.stringify(name))
        .join(', ')
        .replace(/[^\x20-\x7e]/g, '?'),
    ],
    ['hoop-waits-until', new Date(waitsUntil).toISOString()],
  ];
}
