import { z } from 'zod';
import {
  argv,
  duration,
  type SecretRef,
  secretRef,
  section,
  text,
  variables,
} from '../../../core/config/shape.ts';

/** What stands under `credentials`, told apart by the keys that are written. */
type CredentialsConfig = ConfiguredLogin | RoleOfSession | ExecOfSession;

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

/** A login for each session, given by a command. */
export interface ExecOfSession {
  readonly kind: 'exec';
  readonly exec: Commands;
  /** In which sessions work, if not as the user that they are given. */
  readonly role: string | undefined;
}

/** Programs with their arguments. */
interface Commands {
  readonly command: readonly string[];
  readonly renew?: readonly string[] | undefined;
  readonly revoke?: readonly string[] | undefined;
  /** For each of them, ms. */
  readonly timeout: number;
  /** Variables that they are given beside `PATH`. */
  readonly env: readonly string[];
}

/** Keys as they are written; which go together is said by `choice`. */
interface Written {
  readonly user?: string | undefined;
  readonly password?: SecretRef | undefined;
  readonly role?: string | undefined;
  readonly exec?: Commands | undefined;
}

/** To be in the role `none` is to be in none. */
const NOT_NONE = /^(?!none$)[^\0]{1,63}$/i;
const USER_CURE = "write the gateway's own role at the target";
const EXAMPLE = '[vault, read, -format=json, database/creds/app]';
const PASSWORD_CURE = 'write {env: NAME} or {file: PATH}';

/** The shape of `credentials`. @param base Directory that relative paths start from. */
export function credentialsConfig(base: string) {
  return section(
    {
      user: text('a role name', USER_CURE, /^[^\0]{1,63}$/).optional(),
      password: secretRef(base).optional(),
      role: text('a role name', 'write the role that sessions are to work as, not none', NOT_NONE)
        .optional()
        .describe(
          'A role of its own is made for each session, as a member of this one. With exec: in which sessions work.',
        ),
      exec: commands(base).optional(),
    },
    'write {user: hoop, password: {env: PG_PASSWORD}}',
  ).transform(choice);
}

function commands(base: string) {
  return section(
    {
      command: argv(base, EXAMPLE).describe('Prints user, password and lease as JSON.'),
      renew: argv(base, EXAMPLE).optional().describe('Prolongs a lease.'),
      revoke: argv(base, EXAMPLE).optional().describe('Ends a lease, when its session has ended.'),
      timeout: duration('1s', '2m', '10s').default(10_000).describe('For each of them.'),
      env: variables('VAULT_ADDR').describe('Variables of hoopd that they are given, beside PATH.'),
    },
    'write {command: [vault, read, -format=json, database/creds/app]}',
  );
}

function choice({ user, password, role, exec }: Written, context: z.RefinementCtx): CredentialsConfig {
  if (exec !== undefined) {
    if (user === undefined && password === undefined) return { kind: 'exec', exec, role };
    const path = [user === undefined ? 'password' : 'user'];
    context.addIssue({ code: 'custom', path, message: 'stands beside exec; remove one of the two' });
    return z.NEVER;
  }
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
