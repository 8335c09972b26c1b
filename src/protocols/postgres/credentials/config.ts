import { z } from 'zod';
import { type SecretRef, secretRef, section, text } from '../../../core/config/shape.ts';

/** What stands under `credentials`, told apart by the keys that are written. The same login for every session: */
interface CredentialsConfig {
  readonly kind: 'configured';
  readonly user: string;
  readonly password: SecretRef;
}

/** Keys as they are written; which go together is said by `choice`. */
interface Written {
  readonly user?: string | undefined;
  readonly password?: SecretRef | undefined;
}

const USER_CURE = "write the gateway's own role at the target";
const PASSWORD_CURE = 'write {env: NAME} or {file: PATH}';

/** The shape of `credentials`. @param base Directory that relative paths start from. */
export function credentialsConfig(base: string) {
  return section(
    {
      user: text('a role name', USER_CURE, /^[^\0]{1,63}$/).optional(),
      password: secretRef(base).optional(),
    },
    'write {user: hoop, password: {env: PG_PASSWORD}}',
  ).transform(choice);
}

function choice({ user, password }: Written, context: z.RefinementCtx): CredentialsConfig {
  if (user !== undefined && password !== undefined) return { kind: 'configured', user, password };
  if (user === undefined) missing(context, 'user', USER_CURE);
  if (password === undefined) missing(context, 'password', PASSWORD_CURE);
  return z.NEVER;
}

function missing(context: z.RefinementCtx, key: keyof Written, cure: string): void {
  context.addIssue({ code: 'custom', path: [key], message: `is missing; ${cure}` });
}
