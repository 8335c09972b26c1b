import type { JWTPayload } from 'jose';
import { HoopError } from '../core/errors.ts';

/** Values shown to people and matched by rules: no control or invisible characters, at most 256 of the rest. */
const PLAIN = /^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]{1,256}$/u;
const MAX_GROUPS = 500;

/** Claims of CI platforms that policies and auditors ask for, by the name under which they are attested. */
const PROVENANCE: Readonly<Record<string, string>> = {
  repository: 'repository',
  repository_owner: 'repositoryOwner',
  ref: 'ref',
  sha: 'sha',
  workflow: 'workflow',
  job_workflow_ref: 'jobWorkflowRef',
  run_id: 'runId',
  run_attempt: 'runAttempt',
  event_name: 'eventName',
  environment: 'environment',
  actor: 'actor',
  project_path: 'projectPath',
  pipeline_id: 'pipelineId',
  job_id: 'jobId',
};

/**
 * Says whether a text may stand in names, logs and terminals as it is.
 *
 * Pure.
 *
 * @param value Anything.
 * @returns True for a string of 1 … 256 characters without control, format and line-separating characters. Never
 *   throws.
 * @see https://www.unicode.org/reports/tr44/#General_Category_Values
 */
export function isPlain(value: unknown): value is string {
  return typeof value === 'string' && PLAIN.test(value);
}

/**
 * Reads a person's groups. A claim that is there but cannot be read is a refusal, not an empty list: a rule that
 * forbids something to a group must not be escaped by an unreadable one.
 *
 * Pure.
 *
 * @param payload Verified claims.
 * @param claim Name of the claim; undefined if the issuer has none.
 * @returns Group names in the token's order; `[]` if the claim is absent.
 * @throws {HoopError} `ERR_TOKEN_INVALID` neither a string nor a list of plain strings, more than 500, or left out by
 *   the issuer because there are too many (distributed claim).
 * @see https://openid.net/specs/openid-connect-core-1_0.html#AggregatedDistributedClaims
 */
export function groupsOf(payload: JWTPayload, claim: string | undefined): readonly string[] {
  if (claim === undefined) return [];
  const elsewhere = payload['_claim_names'];
  if (typeof elsewhere === 'object' && elsewhere !== null && Object.hasOwn(elsewhere, claim)) {
    throw badGroups('the issuer left the groups out of the token, there are too many');
  }
  const value = own(payload, claim);
  if (value === undefined || value === null) return [];
  const groups: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (groups.length > MAX_GROUPS) throw badGroups(`the token names more than ${MAX_GROUPS} groups`);
  if (!groups.every(isPlain)) throw badGroups('the groups in the token cannot be read');
  return groups;
}

function badGroups(message: string): HoopError {
  return new HoopError('ERR_TOKEN_INVALID', message, {
    hint: 'have the identity provider put only the groups that matter here into the token, as a list of strings',
  });
}

/**
 * Finds a name for people to read: the configured claim, else a verified e-mail address, else the preferred name,
 * else the subject. An address that the issuer calls unverified is never used.
 *
 * Pure.
 *
 * @param payload Verified claims; `sub` is a plain string.
 * @param claim Name of the configured claim, or undefined.
 * @returns A plain text. Never throws.
 * @see https://openid.net/specs/openid-connect-core-1_0.html#ClaimStability
 */
export function nameOf(payload: JWTPayload, claim: string | undefined): string {
  const verified = payload['email_verified'];
  const candidates =
    claim === undefined
      ? [verified === true ? payload['email'] : undefined, payload['preferred_username']]
      : [claim === 'email' && verified === false ? undefined : own(payload, claim)];
  return candidates.find(isPlain) ?? String(payload.sub);
}

/**
 * Reads what the issuer attests beside the name: the configured attributes, and for a machine's token where its job
 * comes from. Numbers and booleans become text. A claim of CI provenance that is no plain value is left out; a
 * configured one is a refusal, because a rule may forbid something to one of its values.
 *
 * Pure.
 *
 * @param payload Verified claims.
 * @param configured Our attribute → the issuer's claim; `groups` and `name` are read elsewhere.
 * @param machine Whether to add CI provenance.
 * @returns Attribute → value; absent claims are left out.
 * @throws {HoopError} `ERR_TOKEN_INVALID` a configured claim is neither a plain string nor a number or boolean.
 * @see https://docs.github.com/en/actions/concepts/security/openid-connect
 */
export function attestedOf(
  payload: JWTPayload,
  configured: Readonly<Record<string, string | undefined>>,
  machine: boolean,
): Readonly<Record<string, string>> {
  const found = new Map<string, string>();
  for (const [claim, attribute] of machine ? Object.entries(PROVENANCE) : []) {
    const value = asText(own(payload, claim));
    if (isPlain(value)) found.set(attribute, value);
  }
  for (const [attribute, claim] of Object.entries(configured)) {
    if (attribute === 'groups' || attribute === 'name' || claim === undefined) continue;
    const value = asText(own(payload, claim));
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
