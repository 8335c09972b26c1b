import { createHash, createHmac } from 'node:crypto';
import type { AskedUnder } from './model.ts';

/** Who asks, for what, and in which words. */
interface Sent {
  readonly principal: {
    readonly issuer: string;
    readonly subject: string;
    readonly name: string;
    readonly instance: string;
  };
  readonly resource: string;
  readonly protocol: string;
  /** The connection itself, which is asked for before what goes over it. */
  readonly opens: boolean;
  readonly original: unknown;
}

/**
 * What is kept of a caller's idempotency key: it is the caller's own, for nobody else's question is found under it, and
 * says nothing of the words that were sent to whoever does not know the key.
 *
 * What was sent is the text with its values, and not what the target defines: the same sent again is the same request, though a
 * yes to it may be for nothing by now. Pure.
 *
 * @see https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/
 */
export function askedUnder(key: string, sent: Sent): AskedUnder {
  const { principal, resource, protocol, opens, original } = sent;
  const { issuer, subject, name, instance } = principal;
  const caller = JSON.stringify([issuer, subject, name, instance, opens, key]);
  return {
    key: createHash('sha256').update(caller).digest('hex'),
    body: createHmac('sha256', key)
      .update(JSON.stringify([resource, protocol, original ?? null]))
      .digest('hex'),
  };
}
