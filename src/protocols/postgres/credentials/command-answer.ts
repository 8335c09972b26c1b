import { z } from 'zod';
import { Secret } from '../../../core/secret.ts';
import { commandError } from '../../stream/run-command.ts';

/** How long a login is good for, and how it is called where it was made. */
export interface Term {
  readonly id: string | undefined;
  /** Ms since the epoch; undefined: it has no end. */
  readonly endsAt: number | undefined;
  readonly renewable: boolean;
}

/** What a command gave. */
export interface IssuedLogin {
  readonly user: string;
  readonly password: Secret;
  readonly term: Term;
}

const TEN_YEARS_S = 10 * 366 * 86_400;
/** Tokens that clouds give for a password have some thousand characters. */
const PASSWORD_CHARS = 16 * 1024;

const user = z.string().regex(/^[^\0]{1,63}$/);
const password = z
  .string()
  .min(1)
  .max(PASSWORD_CHARS)
  .regex(/^[^\0]*$/);
const leaseId = z.string().max(4096);

const LEASE = z.strictObject({
  id: leaseId.optional(),
  expiresIn: z.number().positive().max(TEN_YEARS_S).optional(),
  expiresAt: z.iso.datetime({ offset: true }).optional(),
  renewable: z.boolean().optional(),
});
const OWN = z.strictObject({ user, password, lease: LEASE.optional() });
const OWN_RENEWED = z.strictObject({ lease: LEASE });
/** As `vault read -format=json` and `vault lease renew -format=json` print it, among other things. */
const VAULT_LEASE = z.object({
  lease_id: leaseId.optional(),
  lease_duration: z.number().min(0).max(TEN_YEARS_S).optional(),
  renewable: z.boolean().optional(),
});
const VAULT = VAULT_LEASE.extend({ data: z.object({ username: user, password }) });

/**
 * Reads what a command printed for a new login: `{user, password, lease}`, or Vault's own shape.
 *
 * @param askedAt When the command was started, ms since the epoch: from then on `expiresIn` is counted.
 * @throws {HoopError} `ERR_TARGET_CREDENTIAL`; `detail` names the place of the mistake and never what stands there. Pure.
 */
export function readIssued(text: string, askedAt: number): IssuedLogin {
  const json = parsed(text);
  if ('data' in json) {
    const { data, ...lease } = valid(VAULT, json);
    return {
      user: data.username,
      password: new Secret(data.password),
      term: good(vaultTerm(lease, askedAt), askedAt),
    };
  }
  const { lease = {}, ...login } = valid(OWN, json);
  return {
    user: login.user,
    password: new Secret(login.password),
    term: good(ownTerm(lease, askedAt), askedAt),
  };
}

/**
 * Reads what a command printed that has renewed a lease: `{lease}`, or Vault's own shape. Says `id` only if it is a new one.
 *
 * @throws {HoopError} As `readIssued`. Pure.
 */
export function readRenewed(text: string, askedAt: number): Term {
  const json = parsed(text);
  const term =
    'lease_duration' in json
      ? vaultTerm(valid(VAULT_LEASE, json), askedAt)
      : ownTerm(valid(OWN_RENEWED, json).lease, askedAt);
  if (term.endsAt === undefined) throw commandError('does not say until when the lease is renewed');
  return good(term, askedAt);
}

function parsed(text: string): object {
  try {
    const json: unknown = JSON.parse(text);
    if (typeof json === 'object' && json !== null && !Array.isArray(json)) return json;
  } catch {
    // A parser's own words quote what it could not read.
  }
  throw commandError('printed no JSON object');
}

function valid<Shape>(shape: z.ZodType<Shape>, json: object): Shape {
  const { data, error } = shape.safeParse(json);
  if (error === undefined) return data as Shape;
  const [issue] = error.issues;
  const at = issue?.path.join('.') ?? '';
  if (issue?.code === 'unrecognized_keys')
    throw commandError(`printed JSON with an unknown key${at === '' ? '' : ` in "${at}"`}`);
  throw commandError(`printed JSON without a valid "${at}"`);
}

function ownTerm(lease: z.output<typeof LEASE>, askedAt: number): Term {
  const { id, expiresIn, expiresAt, renewable = true } = lease;
  if (expiresIn !== undefined && expiresAt !== undefined)
    throw commandError('printed JSON with both "lease.expiresIn" and "lease.expiresAt"');
  const endsAt = expiresAt === undefined ? after(expiresIn, askedAt) : Date.parse(expiresAt);
  return { id, endsAt, renewable };
}

function vaultTerm(lease: z.output<typeof VAULT_LEASE>, askedAt: number): Term {
  const { lease_id: id, lease_duration: seconds, renewable = false } = lease;
  return {
    id: id === '' ? undefined : id,
    endsAt: after(seconds === 0 ? undefined : seconds, askedAt),
    renewable,
  };
}

function after(seconds: number | undefined, askedAt: number): number | undefined {
  return seconds === undefined ? undefined : askedAt + seconds * 1000;
}

function good(term: Term, askedAt: number): Term {
  if (term.endsAt === undefined || term.endsAt > askedAt) return term;
  throw commandError('gave a lease that was over before');
}
