import type { SettingFact } from '../facts/facts.ts';
import { isPermittedPath, schemasOf } from './search-path.ts';

/** What sessions of a resource may set, beside what is harmless everywhere. */
export interface Settable {
  /** Lists of schemas, as configured and as the session began. */
  readonly searchPaths: readonly (readonly string[])[];
  /** Names of settings that the database's own code reads, such as `app.tenant`, as configured; default none. */
  readonly settings?: readonly string[];
}

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

/** How the planner weighs ways to the same answer. */
const PLANNING = /^(?:enable_\w+|\w+_cost)$/;

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
  'geqo',
  'from_collapse_limit',
  'join_collapse_limit',
  'cursor_tuple_fraction',
  'effective_cache_size',
  'max_parallel_workers_per_gather',
  'default_statistics_target',
  'synchronize_seqscans',
]);

/** Time limits: a principal may tighten them, not switch them off. */
const NON_ZERO: ReadonlySet<string> = new Set([
  'statement_timeout',
  'lock_timeout',
  'idle_in_transaction_session_timeout',
  'idle_session_timeout',
  'transaction_timeout',
]);

/** Memory of an operation, kB where no unit is said: up to 1 GiB. */
const MEMORY: ReadonlySet<string> = new Set(['work_mem', 'maintenance_work_mem']);
const MOST_MEMORY_KB = 1024 * 1024;
const KB: Readonly<Record<string, number>> = { b: 1 / 1024, kb: 1, mb: 1024, gb: 1024 * 1024 };

/** How much may be used up, or lost in a crash. */
const RESOURCES: ReadonlySet<string> = new Set(['hash_mem_multiplier', 'temp_buffers', 'synchronous_commit']);

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
  settable: Settable,
  back: WayBack = NO_WAY_BACK,
): boolean {
  const { verb, name, value, schemas } = setting;
  if (verb === 'show' || isWayBack(setting, back)) return true;
  if (name === 'search_path') return verb === 'reset' || isPermittedPath(schemas, settable.searchPaths);
  if (ANY_VALUE.has(name) || PLANNING.test(name) || TRANSACTION.has(name)) return true;
  if (isFree(name, settable)) return true;
  if (verb === 'reset' || value === undefined) return false;
  if (NON_ZERO.has(name)) return isNonZero(value);
  if (MEMORY.has(name)) return isLittleMemory(value);
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

/** Whether it may be set to anything. */
export function isFree(name: string, { settings = [] }: Settable): boolean {
  return settings.includes(name.toLowerCase());
}

/** Whether it could change how statements are read, or for how long they run; others only cost the server something. */
export function isOfReading(name: string): boolean {
  return !MEMORY.has(name) && !RESOURCES.has(name);
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

function isLittleMemory(value: string): boolean {
  const amount = /^\s*(\d{1,12})\s*(b|kb|mb|gb)?\s*$/i.exec(value);
  return (
    amount !== null && Number(amount[1]) * (KB[(amount[2] ?? 'kb').toLowerCase()] ?? 1) <= MOST_MEMORY_KB
  );
}

/** The SET or RESET that `set_config` with these stands for. @param value Undefined: known to the server alone. */
export function settingByCall(called: string, value: string | null | undefined): SettingFact {
  const name = called.toLowerCase();
  if (value === null) return { verb: 'reset', name, local: false };
  if (value === undefined) return { verb: 'set', name, local: false };
  const schemas = name === 'search_path' ? schemasOf(value) : undefined;
  return { verb: 'set', name, value, local: false, ...(schemas === undefined ? {} : { schemas }) };
}
