import type { Body } from './fields/framing.ts';
import { readBody } from './fields/framing.ts';
import { goesOn, mayBeOfConnection } from './fields/names.ts';
import { type Field, type Fields, readFields } from './fields/read-fields.ts';
import { type AskedUpgrade, readUpgrade } from './fields/upgrade.ts';
import { isMethod, METHODS, type Method } from './methods.ts';
import { isRefused, type Refused, refused } from './refusals.ts';
import type { Parameter } from './target/query.ts';
import { readTarget } from './target/request-target.ts';

/** A head as it was parsed, an octet per character. HTTP/2's `:authority` stands as `host`. */
export interface RawHead {
  readonly method: string;
  readonly target: string;
  /** `1.1`; `2.0`. */
  readonly httpVersion: string;
  /** Names and values in turn. */
  readonly rawHeaders: readonly string[];
  /** HTTP/2: the stream ended with the head. */
  readonly ended?: boolean;
  /** HTTP/2: the protocol that an extended CONNECT asks for, which stands here as a GET (RFC 8441 §4). */
  readonly connects?: string;
  /** HTTP/1.1: it was not clear what follows the head, and nothing of that was read. */
  readonly unframed?: boolean;
}

/** How requests of one resource are read. */
export interface RequestRules {
  /** Names, in lower case, under which the target is shown the configured credential: a client's are left away. */
  readonly credentialHeaders: readonly string[];
  readonly credentialParameter?: string | undefined;
}

/** Everything that the target is sent but the credential, in one form: it is decided on, and it is what goes. */
export interface CanonicalRequest {
  readonly method: Method;
  /** As it is forwarded; begins with a slash, may end with one. */
  readonly path: string;
  /** Decoded, without an empty last one; no slash is in any of them. */
  readonly segments: readonly string[];
  /** As it is forwarded: empty, or with its question mark. */
  readonly query: string;
  /** Decoded, all of them, in order. */
  readonly parameters: readonly Parameter[];
  /** Names in lower case, in order. Neither framing nor host nor credentials nor what is of one connection. */
  readonly headers: readonly Field[];
  /** `application/json`, in lower case and without parameters; empty where there is none. */
  readonly contentType: string;
  readonly body: Body;
  /** Asked for, and to be asked of the target. */
  readonly upgrade: AskedUpgrade | undefined;
}

const VERSIONS: ReadonlySet<string> = new Set(['1.0', '1.1', '2.0']);
const MEDIA_TYPE =
  /^([!#$%&'*+.^_`|~0-9a-z-]{1,127}\/[!#$%&'*+.^_`|~0-9a-z-]{1,127})[\t ]*(?:;[\t\x20-\x7e]*)?$/i;

/**
 * Brings a request into the one form that is decided on and forwarded, or refuses it: what two servers could read in two
 * ways has no such form.
 *
 * Pure, linear in the head. The canonical form of what is forwarded is itself. What is left away of a client's headers, and
 * why, stands in `fields/names.ts`; what of a path is refused, in `target/path.ts`.
 *
 * @returns The request, or by which rule it is refused (`REQUEST_REFUSALS`, with the status). Never throws.
 * @see RFC 9110 §7, RFC 9112 §3, RFC 3986 §6
 */
export function canonicalRequest(head: RawHead, rules: RequestRules): CanonicalRequest | Refused {
  const { httpVersion, method } = head;
  if (!VERSIONS.has(httpVersion))
    return refused('http-version', 'the request is not HTTP/1.0, HTTP/1.1 or HTTP/2');
  if (!isMethod(method)) return refused('method', `the method is not one of ${METHODS.join(', ')}`);
  const target = readTarget(head.target, rules.credentialParameter);
  if (isRefused(target)) return target;
  const fields = readFields(head.rawHeaders);
  if (isRefused(fields)) return fields;
  const rest = readRest(fields, head, method);
  if (isRefused(rest)) return rest;
  const headers = forwarded(fields, rules);
  return isRefused(headers) ? headers : { method, ...target, ...headers, ...rest };
}

/** What headers say of the connection and of the body. */
function readRest(
  fields: Fields,
  { httpVersion, ended = false, connects, unframed = false }: RawHead,
  method: Method,
): Pick<CanonicalRequest, 'contentType' | 'body' | 'upgrade'> | Refused {
  if (httpVersion !== '1.0' && !fields.has('host'))
    return refused('header-malformed', 'the header Host is missing');
  const expect = fields.one('expect');
  if (expect !== undefined && expect.toLowerCase() !== '100-continue')
    return refused('expectation', 'something else than 100-continue is expected');
  const mediaType = fields.one('content-type');
  const contentType = mediaType === undefined ? '' : MEDIA_TYPE.exec(mediaType)?.[1]?.toLowerCase();
  if (contentType === undefined) return refused('content-type', 'Content-Type is not one media type');
  const body = readBody(fields, httpVersion, method, ended);
  if (isRefused(body)) return body;
  if (unframed) return refused('framing', 'where the body ends is not told in one way');
  const upgrade = readUpgrade(fields, httpVersion, method, connects);
  if (isRefused(upgrade)) return upgrade;
  // What follows the head is of the other protocol, or a body: nobody could tell.
  if (upgrade.upgrade !== undefined && !isEmpty(body.body))
    return refused('body-not-expected', 'a request for an upgrade has no body');
  return { contentType, ...body, ...upgrade };
}

function isEmpty(body: Body): boolean {
  return body === 'none' || (typeof body === 'object' && body.length === 0);
}

/** The headers that go on. */
function forwarded(fields: Fields, rules: RequestRules): Pick<CanonicalRequest, 'headers'> | Refused {
  const ofConnection = fields.members('connection');
  const taken = ofConnection.find((name) => !mayBeOfConnection(name));
  if (taken !== undefined)
    return refused('connection-options', 'Connection names what is not of this connection alone');
  const headers = fields.all.filter(
    ([name]) => goesOn(name) && !ofConnection.includes(name) && !rules.credentialHeaders.includes(name),
  );
  return { headers };
}
