import type { SettingFact } from '../facts/facts.ts';
import { isPermittedPath, schemasOf } from './search-path.ts';

/** What RESET gives back to a session. */
export interface WayBack {
  /** All that was set when it began: nothing ran at its login that set something. */
  readonly asBegun: boolean;
  /** It began in no role but the one that logged in. */
  readonly asItself: boolean;
  /** As `server_version_num`. */
  readonly serverVersion: number;
}

const NO_WAY_BACK: WayBack = { asBegun: false, asItself: false, serverVersion: 0 };
/** The first of each major version that gives a session the role it began in back with its user (CVE-2024-10978). */
const REGAINS_ROLE: ReadonlyMap<number, number> = new Map([
  [13, 130_018],
  [14, 140_015],
  [15, 150_010],
  [16, 160_006],
  [17, 170_002],
]);
const ALWAYS_REGAINS_ROLE = 180_000;

/** Settings that change neither how SQL is read nor what it may do; drivers and people set them. */
const ANY_VALUE: ReadonlySet<string> = new Set([
  'application_name',
  'timezone',
  'extra_float_digits',
  'datestyle',
  'intervalstyle',
  'client_min_messages',
  'bytea_output',
  'jit',
  'plan_cache_mode',
]);

/** Time limits: a principal may tighten them, not switch them off. */
const NON_ZERO: ReadonlySet<string> = new Set([
  'statement_timeout',
  'lock_timeout',
  'idle_in_transaction_session_timeout',
  'idle_session_timeout',
  'transaction_timeout',
]);

const TRANSACTION: ReadonlySet<string> = new Set([
  'transaction_isolation',
  'transaction_read_only',
  'transaction_deferrable',
  'default_transaction_isolation',
  'default_transaction_read_only',
  'default_transaction_deferrable',
]);

/**
 * Whether a change of a setting leaves everything the gateway relies on in place. Reading one is always safe.
 *
 * A `search_path` is safe if it is permitted. `role`, `row_security`, `session_replication_role`, encodings other than UTF-8
 * and all unknown names are not. Going back to what the session began with is (`back`).
 */
export function isSafeSetting(
  setting: SettingFact,
  searchPaths: readonly (readonly string[])[],
  back: WayBack = NO_WAY_BACK,
): boolean {
  const { verb, name, value, schemas } = setting;
  if (verb === 'show' || isWayBack(setting, back)) return true;
  if (name === 'search_path') return verb === 'reset' || isPermittedPath(schemas, searchPaths);
  if (ANY_VALUE.has(name) || TRANSACTION.has(name)) return true;
  if (verb === 'reset' || value === undefined) return false;
  if (NON_ZERO.has(name)) return isNonZero(value);
  if (name === 'client_encoding' || name === 'names') return /^(utf-?8|unicode)$/i.test(value);
  if (name === 'standard_conforming_strings') return /^(on|true|yes|1)$/i.test(value);
  if (name === 'escape_string_warning') return true;
  return false;
}

/**
 * Whether it goes back to what the session began with, as a new session would: that was judged when it began, and what
 * decides how SQL is read is pinned there. With the session's user the role becomes `none` in servers older than CVE-2024-10978,
 * not the one that the session began in.
 */
function isWayBack({ verb, name, value }: SettingFact, back: WayBack): boolean {
  const { asBegun, asItself, serverVersion } = back;
  if (!asBegun) return false;
  if (name === 'session_authorization') return verb === 'reset' && (asItself || regainsRole(serverVersion));
  if (name === 'role' && verb === 'set') return value === 'none' && asItself;
  return verb === 'reset';
}

function regainsRole(serverVersion: number): boolean {
  const first = REGAINS_ROLE.get(Math.floor(serverVersion / 10_000)) ?? ALWAYS_REGAINS_ROLE;
  return serverVersion >= first;
}

/** True for settings that only shape the transaction: they are judged as transaction commands are. */
export function isTransactionSetting(name: string): boolean {
  return TRANSACTION.has(name);
}

function isNonZero(value: string): boolean {
  const amount = /^\s*(\d+(?:\.\d+)?)\s*(us|ms|s|min|h|d)?\s*$/i.exec(value);
  if (amount === null) return false;
  // Below a millisecond PostgreSQL rounds, perhaps to 0, which means no limit.
  const [count, unit] = [Number(amount[1]), (amount[2] ?? 'ms').toLowerCase()];
  return unit === 'us' ? count >= 1000 : count >= 1;
}

/** The SET or RESET that `set_config` with these stands for. */
export function settingByCall(called: string, value: string | null): SettingFact {
  const name = called.toLowerCase();
  if (value === null) return { verb: 'reset', name, local: false };
  const schemas = name === 'search_path' ? schemasOf(value) : undefined;
  return { verb: 'set', name, value, local: false, ...(schemas === undefined ? {} : { schemas }) };
}
