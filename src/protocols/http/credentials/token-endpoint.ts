import { request as requestPlain } from 'node:http';
import { request as requestTls } from 'node:https';
import { HoopError } from '../../../core/errors.ts';
import { targetAddresses } from '../../stream/addresses.ts';
import type { Ask } from './configured.ts';

export interface TokenEndpoint {
  readonly tokenUrl: string;
  readonly clientId: string;
  readonly clientSecret: Ask;
  readonly scope?: string | undefined;
  readonly audience?: string | undefined;
  readonly auth: 'basic' | 'post';
  /** PEM; undefined: the authorities that Node knows. */
  readonly ca: string | undefined;
}

export interface IssuedToken {
  readonly token: string;
  /** Undefined: the provider did not say. */
  readonly lifeMs: number | undefined;
}

/** For the whole answer, ms; its octets. */
const ANSWER_MS = 10_000;
const MAX_ANSWER_BYTES = 64 * 1024;
/** What can be shown in a header: RFC 6750 §2.1. */
const TOKEN = /^[A-Za-z0-9\-._~+/]{1,16384}=*$/;

/**
 * Asks a provider for a token of the gateway's own client.
 *
 * @throws {HoopError} `ERR_TARGET_CREDENTIAL` no answer in time, a refusal, or one that cannot be used; `detail` says which, with
 *   the provider's own word for an error, and no secret.
 * @see RFC 6749 §4.4
 */
export async function askForToken(endpoint: TokenEndpoint): Promise<IssuedToken> {
  const { status, text } = await post(endpoint);
  const answer = parsed(text);
  if (status !== 200) throw failed(`the provider answered ${status}${wordOf(answer)}`);
  const { access_token: token, token_type: type, expires_in: seconds } = answer;
  if (typeof token !== 'string' || !TOKEN.test(token)) throw failed('the provider answered without a token');
  if (typeof type !== 'string' || type.toLowerCase() !== 'bearer')
    throw failed('the provider answered with a token of another type');
  const lifeMs = typeof seconds === 'number' && seconds > 0 ? seconds * 1000 : undefined;
  return { token, lifeMs };
}

function post(endpoint: TokenEndpoint): Promise<{ readonly status: number; readonly text: string }> {
  const url = new URL(endpoint.tokenUrl);
  const form = formOf(endpoint);
  const addresses = targetAddresses([]);
  // An address that is written is not looked up.
  if (addresses.refuses(url.hostname.replace(/^\[|\]$/g, '')))
    return Promise.reject(failed('the provider is at an address that is refused'));
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; text: string }>();
  const call = (url.protocol === 'https:' ? requestTls : requestPlain)(url, {
    method: 'POST',
    agent: false,
    lookup: addresses.lookup,
    // Said, so that no variable of the environment can turn it off.
    rejectUnauthorized: true,
    signal: AbortSignal.timeout(ANSWER_MS),
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      'content-length': Buffer.byteLength(form),
      accept: 'application/json',
      ...authorizationOf(endpoint),
    },
    ...(endpoint.ca === undefined ? {} : { ca: endpoint.ca }),
  });
  call.on('error', (error: NodeJS.ErrnoException) =>
    reject(failed(`the provider cannot be asked (${error.code ?? error.name})`)),
  );
  call.on('response', async (response) => {
    try {
      const chunks: Buffer[] = [];
      let size = 0;
      for await (const chunk of response as AsyncIterable<Buffer>) {
        size += chunk.length;
        if (size > MAX_ANSWER_BYTES) throw failed('the provider answered with too much');
        chunks.push(chunk);
      }
      resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() });
    } catch (error) {
      reject(error instanceof HoopError ? error : failed('the provider broke off its answer'));
    }
  });
  call.end(form);
  return promise;
}

function formOf({ clientId, clientSecret, scope, audience, auth }: TokenEndpoint): string {
  return new URLSearchParams({
    grant_type: 'client_credentials',
    ...(scope === undefined ? {} : { scope }),
    ...(audience === undefined ? {} : { audience }),
    ...(auth === 'post' ? { client_id: clientId, client_secret: clientSecret().expose() } : {}),
  }).toString();
}

/** Both parts are form-encoded first: RFC 6749 §2.3.1. */
function authorizationOf({ clientId, clientSecret, auth }: TokenEndpoint): {
  readonly authorization?: string;
} {
  if (auth === 'post') return {};
  const encoded = [clientId, clientSecret().expose()].map((part) =>
    new URLSearchParams([['', part]]).toString().slice(1),
  );
  return { authorization: `Basic ${Buffer.from(encoded.join(':')).toString('base64')}` };
}

function parsed(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

/** The provider's word, RFC 6749 §5.2: anything longer is not repeated. */
function wordOf({ error }: Readonly<Record<string, unknown>>): string {
  return typeof error === 'string' && /^[a-z_]{1,40}$/.test(error) ? ` (${error})` : '';
}

function failed(detail: string): HoopError {
  return new HoopError('ERR_TARGET_CREDENTIAL', undefined, {
    detail,
    hint: 'the operator finds the reason in the log of hoopd; what was asked was not sent',
  });
}
