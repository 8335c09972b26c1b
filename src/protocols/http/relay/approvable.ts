import { createHash } from 'node:crypto';
import type { Approvable, Hold } from '../../../enforcement/operation.ts';
import type { Question } from '../../stream/guard.ts';
import type { CanonicalRequest } from '../request/canonical.ts';
import type { Field } from '../request/fields/read-fields.ts';
import type { Reply } from './reply.ts';
import type { RequestBody } from './request-body.ts';

interface HeldRequest {
  readonly request: CanonicalRequest;
  readonly body: RequestBody;
  readonly reply: Reply;
  /** Aborted when nobody waits any more. */
  readonly signal: AbortSignal;
}

/**
 * What an approval covers of a request, and how its client waits: in silence, since a client may take an answer before the
 * answer for the answer. One that prefers to be told gets a `102 Processing`, and one that prefers not to wait a `202`.
 */
export function approvableRequest(question: Omit<Question, 'approvable'>, held: HeldRequest): Approvable {
  const { request, body, reply, signal } = held;
  const approvable: Approvable = {
    exact: async () => exactly(request, request.body === 'none' ? Buffer.alloc(0) : await body.whole()),
    wait: prefers(request, 'respond-async')
      ? undefined
      : {
          signal,
          told: (hold) => {
            if (prefers(request, 'hoop-approval')) reply.inform(102, noticeOf(hold));
          },
          again: () => ({ ...question, approvable }),
        },
  };
  return approvable;
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
const OF_ONE_CALL: ReadonlySet<string> = new Set(['baggage', 'prefer', 'traceparent', 'tracestate']);

function exactly({ method, path, query, headers }: CanonicalRequest, body: Buffer): string {
  const meant = headers.filter(([name]) => !OF_ONE_CALL.has(name));
  const hash = createHash('sha256').update(body).digest('hex');
  return createHash('sha256')
    .update(JSON.stringify([method, path, query, meant, hash]))
    .digest('hex');
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
