import { z } from 'zod';
import { foreseen } from '../../beforehand.ts';
import type { GatewayDesk } from '../../desk.ts';
import { RESOURCE } from '../../operation.ts';
import { Refused } from '../../refusal.ts';
import { CALL_SECONDS, tool } from '../../tool.ts';
import { DATA, shownName, shownText, textOf } from '../../words.ts';
import { type Exchanged, exchange } from './exchange.ts';
import { HTTP, type HttpRequest, questionOf } from './operation.ts';

const DEFAULT_BYTES = 64 * 1024;
const MAX_BYTES = 512 * 1024;
const MAX_HEADERS = 64;
/** Of the connection, or for a browser to keep. */
const LEFT_OUT: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'transfer-encoding',
  'content-length',
  'set-cookie',
  'date',
]);

export const httpRequest = tool({
  name: 'http_request',
  title: 'HTTP request',
  description:
    'Sends one request to an HTTP resource; the gateway puts the credential in. Policy is asked first: what is refused says why ' +
    'and what to do instead; what needs an approval is not sent and nobody is asked: use request_approval. No redirect is ' +
    'followed. The status is the answer, also where it is 404 or 500.',
  input: z.strictObject({
    resource: RESOURCE,
    ...HTTP,
    max_bytes: z
      .int()
      .min(1_024)
      .max(MAX_BYTES)
      .optional()
      .describe(`Octets of the body that are given, default ${DEFAULT_BYTES}.`),
    timeout_seconds: z.int().min(1).max(300).optional().describe(`Default ${CALL_SECONDS}.`),
  }),
  output: z.object({
    untrusted: z.string(),
    status: z.int(),
    headers: z.record(z.string(), z.string()),
    body: z.string().optional().describe('Absent: it is empty, or no text.'),
    octets: z.int().optional().describe('Of a body that is no text.'),
    cut: z.boolean().optional().describe('The body is longer.'),
  }),
  protocol: 'http',
  changes: true,
  outside: true,
  seconds: ({ timeout_seconds = CALL_SECONDS }) => timeout_seconds,
  async run({ resource, max_bytes, timeout_seconds: _, ...request }, { desk, signal }) {
    await desk.resource(resource, 'http');
    return shownAnswer(await exchanged(desk, resource, request, max_bytes ?? DEFAULT_BYTES, signal));
  },
});

/** @throws {Refused} It was foreseen that policy does not permit it, and it did not. */
export async function exchanged(
  desk: GatewayDesk,
  resource: string,
  request: HttpRequest,
  maxBytes: number,
  signal: AbortSignal,
): Promise<Exchanged> {
  const { refusal } = await foreseen(desk, resource, questionOf(request), signal);
  const stream = await (await desk.tunnel(resource)).open(signal);
  const leave = () => stream.destroy();
  stream.on('error', leave);
  signal.addEventListener('abort', leave, { once: true });
  try {
    const answer = await exchange(stream, request, maxBytes);
    if (refusal !== undefined && answer.status >= 400) throw new Refused(refusal);
    return answer;
  } finally {
    signal.removeEventListener('abort', leave);
  }
}

/** Pure. */
export function shownAnswer({ status, headers, body, cut }: Exchanged) {
  const shown = Object.entries(headers)
    .filter(([name]) => !LEFT_OUT.has(name))
    .slice(0, MAX_HEADERS)
    .map(([name, value]) => [shownName(name), shownText(String(value), 1_024)]);
  return { untrusted: DATA, status, headers: Object.fromEntries(shown), ...shownBody(body, cut) };
}

function shownBody(body: Buffer, cut: boolean) {
  if (body.length === 0) return {};
  // A character may end beyond the bound.
  const text =
    textOf(body) ??
    (cut ? [1, 2, 3].map((less) => textOf(body.subarray(0, -less))).find(Boolean) : undefined);
  return {
    ...(text === undefined ? { octets: body.length } : { body: shownText(text, MAX_BYTES) }),
    ...(cut ? { cut } : {}),
  };
}
