import { z } from 'zod';
import { type SecretRef, secretRef, section, text } from '../../../core/config/shape.ts';

/** What stands under `credentials`, told apart by the keys that are written. */
type CredentialsConfig = ConfiguredLogin | RoleOfSession;

/** The same login for every session. */
interface ConfiguredLogin {
  readonly kind: 'configured';
  readonly user: string;
  readonly password: SecretRef;
}

/** A role for each session, made by the login that is configured. */
interface RoleOfSession extends Omit<ConfiguredLogin, 'kind'> {
  readonly kind: 'role';
  /** Whose members they are, and as which they work. */
  readonly role: string;
}

/** Keys as they are written; which go together is said by `choice`. */
interface Written {
  readonly user?: string | undefined;
  readonly password?: SecretRef | undefined;
  readonly role?: string | undefined;
}

/** To be in the role `none` is to be in none. */
const NOT_NONE = /^(?!none$)[^\0]{1,63}$/i;
const USER_CURE = "write the gateway's own role at the target";
const PASSWORD_CURE = 'write {env: NAME} or {file: PATH}';

/** The shape of `credentials`. @param base Directory that relative paths start from. */
export function credentialsConfig(base: string) {
  return section(
    {
      user: text('a role name', USER_CURE, /^[^\0]{1,63}$/).optional(),
      password: secretRef(base).optional(),
      role: text('a role name', 'write the role that sessions are to work as, not none', NOT_NONE)
        .optional()
        .describe('A role of its own is made for each session, as a member of this one.'),
    },
    'write {user: hoop, password: {env: PG_PASSWORD}}',
  ).transform(choice);
}

function choice({ user, password, role }: Written, context: z.RefinementCtx): CredentialsConfig {
  if (user !== undefined && password !== undefined) {
    if (role === undefined) return { kind: 'configured', user, password };
    if (role !== user) return { kind: 'role', user, password, role };
    const message = 'is the user itself; write another role, which the user has WITH ADMIN OPTION';
    context.addIssue({ code: 'custom', path: ['role'], message });
    return z.NEVER;
  }
  if (user === undefined) missing(context, 'user', USER_CURE);
  if (password === undefined) missing(context, 'password', PASSWORD_CURE);
  return z.NEVER;
}

function missing(context: z.RefinementCtx, key: keyof Written, cure: string): void {
  context.addIssue({ code: 'custom', path: [key], message: `is missing; ${cure}` });
}
