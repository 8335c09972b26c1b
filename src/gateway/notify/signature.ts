import { createHmac } from 'node:crypto';

/**
 * Reads a key that deliveries are signed with: base64, after `whsec_` or bare, of 24 … 64 octets.
 *
 * Pure. @returns Undefined if it is none.
 */
export function parseSigningKey(text: string): Buffer | undefined {
  const encoded = text.replace(/^whsec_/, '');
  if (!/^[A-Za-z0-9+/]{32,}={0,2}$/.test(encoded)) return undefined;
  const key = Buffer.from(encoded, 'base64');
  return key.length >= 24 && key.length <= 64 ? key : undefined;
}

/**
 * The headers by which a receiver knows one delivery, when it was sent and who sent it: HMAC-SHA-256 over
 * `ID.SECONDS.BODY`.
 *
 * Pure.
 *
 * @param id The same however often it is delivered; without a dot.
 * @param key Undefined: not signed.
 * @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md#signature-scheme
 */
export function deliveryHeaders(
  id: string,
  nowMs: number,
  body: string,
  key: Buffer | undefined,
): Record<string, string> {
  const seconds = String(Math.floor(nowMs / 1000));
  const headers = { 'webhook-id': id, 'webhook-timestamp': seconds };
  if (key === undefined) return headers;
  const digest = createHmac('sha256', key).update(`${id}.${seconds}.${body}`).digest('base64');
  return { ...headers, 'webhook-signature': `v1,${digest}` };
}
