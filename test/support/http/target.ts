/** What a target is made with, and asked, where a test is about something else. */
import { buffer } from 'node:stream/consumers';
import { type CanonicalRequest, canonicalRequest } from '../../../src/protocols/http/request/canonical.ts';
import { isRefused } from '../../../src/protocols/http/request/refusals.ts';
import type { TargetAnswer } from '../../../src/protocols/http/target/http-target.ts';
import { targetAddresses } from '../../../src/protocols/stream/addresses.ts';

export const TARGET_USUAL = {
  addresses: targetAddresses([]),
  patience: { connectMs: 5_000, answerMs: 10_000, headMs: 5_000, early: 4 },
} as const;

/** A request as it was judged. @param length Of its body, octets; undefined: it has none. */
export function requestOf(method: string, path: string, length?: number | 'chunked'): CanonicalRequest {
  const framing = { undefined: [], chunked: ['transfer-encoding', 'chunked'] }[String(length)];
  const rawHeaders = ['host', 'a', ...(framing ?? ['content-length', String(length)])];
  const request = canonicalRequest(
    { method, target: path, httpVersion: '1.1', rawHeaders },
    { credentialHeaders: [] },
  );
  if (isRefused(request)) throw new Error(request.rule);
  return request;
}

/** Status and body. */
export async function whole(answer: Promise<TargetAnswer>): Promise<string> {
  const { status, body } = await answer;
  return `${status} ${await buffer(body)}`;
}
