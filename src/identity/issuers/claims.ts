import type { JWTPayload } from 'jose';
import { HoopError } from '../../core/errors.ts';
import { isPlain } from '../../core/visible.ts';

const MAX_GROUPS = 500;

/**
 * Reads the groups. A claim that is there but cannot be read is a refusal, not an empty list: a rule that forbids
 * something to a group must not be escaped by an unreadable one.
 *
 * Pure.
 *
 * @param payload Verified claims.
 * @param claim Name of the claim, or a JSON Pointer to it; undefined if the issuer has none.
 * @param cure What to do where they cannot be had from this issuer.
 * @returns Group names in the token's order; `[]` if the claim is absent.
 * @throws {HoopError} `ERR_TOKEN_INVALID` neither a string nor a list of plain strings, more than 500, or left out by
 *   the issuer because there are too many (distributed claim; `hasgroups` of Entra ID).
 * @see https://openid.net/specs/openid-connect-core-1_0.html#AggregatedDistributedClaims
 * @see https://learn.microsoft.com/en-us/entra/identity-platform/id-token-claims-reference#groups-overage-claim
 */
export function groupsOf(
  payload: JWTPayload,
  claim: string | undefined,
  cure: string = GROUPS_CURE,
): readonly string[] {
  if (claim === undefined) return [];
  const bad = (message: string) => new HoopError('ERR_TOKEN_INVALID', message, { hint: cure });
  if (isElsewhere(payload, claim)) {
    throw bad('the identity provider left the groups out of the token: there are too many');
  }
  const value = claimAt(payload, claim);
  if (value === undefined || value === null) return [];
  const groups: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (groups.length > MAX_GROUPS) throw bad(`the token names more than ${MAX_GROUPS} groups`);
  if (!groups.every(isPlain)) throw bad('the groups in the token cannot be read');
  return groups;
}

/** What to do about a token that is larger than it may be, or would be. */
export const GROUPS_CURE =
  'have the identity provider put only the groups that matter here into the token, as a list of strings';

/** Three spellings of "ask me for it": by name, by a source's name in the claim's place, by a mere flag. */
function isElsewhere(payload: JWTPayload, claim: string): boolean {
  const names = payload['_claim_names'];
  if (isObject(names) && Object.hasOwn(names, claim)) return true;
  const sources = payload['_claim_sources'];
  const value = own(payload, claim);
  if (typeof value === 'string' && isObject(sources) && Object.hasOwn(sources, value)) return true;
  const flag = own(payload, 'hasgroups');
  return claim === 'groups' && value === undefined && (flag === true || flag === 'true');
}

/**
 * Finds a name for people to read: the configured claim, else the first candidate that is there, else the subject. An
 * e-mail address that the issuer calls unverified is never used, nor one it says nothing of, unless it is configured.
 *
 * Pure.
 *
 * @param payload Verified claims; `sub` is a plain string.
 * @param claim Name of the configured claim, or undefined.
 * @param candidates Claims to look at where none is configured, best first.
 * @returns A plain text. Never throws.
 * @see https://openid.net/specs/openid-connect-core-1_0.html#ClaimStability
 */
export function nameOf(
  payload: JWTPayload,
  claim: string | undefined,
  candidates: readonly string[],
): string {
  const verified = payload['email_verified'];
  const found =
    claim === undefined
      ? candidates.map((name) => (name === 'email' && verified !== true ? undefined : own(payload, name)))
      : [claim === 'email' && verified === false ? undefined : claimAt(payload, claim)];
  return found.find(isPlain) ?? String(payload.sub);
}

/**
 * Reads what the issuer attests beside the name: the configured attributes, and for a machine's token where its job
 * comes from. Numbers and booleans become text. A claim of provenance that is no plain value is left out; a
 * configured one is a refusal, because a rule may forbid something to one of its values.
 *
 * Pure.
 *
 * @param payload Verified claims.
 * @param configured Our attribute → the issuer's claim; `groups` and `name` are read elsewhere.
 * @param provenance Claim → attribute; empty for a person's token.
 * @returns Attribute → value; absent claims are left out.
 * @throws {HoopError} `ERR_TOKEN_INVALID` a configured claim is neither a plain string nor a number or boolean.
 * @see https://docs.github.com/en/actions/concepts/security/openid-connect
 */
export function attestedOf(
  payload: JWTPayload,
  configured: Readonly<Record<string, string | undefined>>,
  provenance: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const found = new Map<string, string>();
  for (const [claim, attribute] of Object.entries(provenance)) {
    const value = asText(claimAt(payload, claim));
    if (isPlain(value)) found.set(attribute, value);
  }
  for (const [attribute, claim] of Object.entries(configured)) {
    if (attribute === 'groups' || attribute === 'name' || claim === undefined) continue;
    const value = asText(claimAt(payload, claim));
    if (isPlain(value)) found.set(attribute, value);
    else if (value !== undefined && value !== null) {
      throw new HoopError('ERR_TOKEN_INVALID', `the token's ${JSON.stringify(claim)} cannot be read`);
    }
  }
  return Object.fromEntries(found);
}

function asText(value: unknown): unknown {
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : value;
}

/**
 * Reads a claim of the token itself, never one that JavaScript adds (`constructor`, `__proto__`).
 *
 * Pure.
 *
 * @param payload Verified claims.
 * @param claim Name.
 * @returns The claim's value, or undefined. Never throws.
 * @see https://www.rfc-editor.org/rfc/rfc7519#section-4
 */
export function own(payload: Readonly<Record<string, unknown>>, claim: string): unknown {
  return Object.hasOwn(payload, claim) ? payload[claim] : undefined;
}

/**
 * Reads a claim by its name or, where it stands inside another, by a JSON Pointer. No claim in use begins with a
 * slash; claims that are URLs are names.
 *
 * Pure.
 *
 * @param payload Verified claims.
 * @param path `groups`, `https://example.com/groups`, or `/kubernetes.io/namespace`. Lists are not walked into.
 * @returns The value, or undefined. Never throws.
 * @see https://www.rfc-editor.org/rfc/rfc6901#section-4
 */
export function claimAt(payload: Readonly<Record<string, unknown>>, path: string): unknown {
  if (!path.startsWith('/')) return own(payload, path);
  let value: unknown = payload;
  for (const step of path.slice(1).split('/')) {
    if (!isObject(value)) return undefined;
    value = own(value, step.replaceAll('~1', '/').replaceAll('~0', '~'));
  }
  return value;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
