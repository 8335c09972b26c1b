/** What fetching one small document may cost. */
export interface FetchLimits {
  /** Whole request, ms. */
  readonly timeoutMs: number;
  /** Body, octets; counted after decompression, while it arrives. */
  readonly maxBytes: number;
}

/** `fetch`, or a stand-in with its shape. */
export type Fetch = (url: URL, init: RequestInit) => Promise<Response>;

/**
 * Fetches one JSON document. No redirect is followed: where a provider's keys come from is decided by its
 * configuration, not by whoever answers.
 *
 * @param url Address, already checked by the caller.
 * @param limits Bounds on time and size.
 * @param fetch The platform's `fetch`.
 * @returns The parsed document, of any shape.
 * @throws {Error} No answer in time, a status other than 200, a body that is too long or not JSON. The text says
 *   which and holds nothing of the body.
 * @see https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderConfigurationRequest
 */
export async function fetchJson(url: URL, limits: FetchLimits, fetch: Fetch): Promise<unknown> {
  const response = await fetch(url, {
    redirect: 'manual',
    // An API server of Kubernetes answers 406 where the type of key sets is not named: RFC 7517 §8.5.2.
    headers: { accept: 'application/json, application/jwk-set+json' },
    signal: AbortSignal.timeout(limits.timeoutMs),
  });
  if (response.status !== 200) {
    await response.body?.cancel();
    throw new Error(`${url.href} answered ${response.status}`);
  }
  const text = new TextDecoder().decode(await readBody(response, limits.maxBytes, url));
  try {
    return JSON.parse(text);
  } catch {
    throw new Error(`${url.href} did not answer with JSON`);
  }
}

async function readBody(response: Response, maxBytes: number, url: URL): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let total = 0;
  for await (const chunk of response.body ?? []) {
    total += chunk.byteLength;
    if (total > maxBytes) throw new Error(`${url.href} answered with more than ${maxBytes} octets`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
