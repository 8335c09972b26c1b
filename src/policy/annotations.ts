import { parseDuration } from '../core/config/shape.ts';
import { type Lookups, MASK_KINDS, type MaskKind } from './model.ts';

/** What the author of a policy wrote for people and for obligations. */
export interface PolicyNotes {
  readonly id: string;
  readonly reason?: string;
  readonly hint?: string;
  /** Who may lift this forbid: `dba`. */
  readonly approval?: string;
  /** How many people must say yes under that name; absent: one. */
  readonly quorum?: number;
  /** How long after the yes what was opened may be used, ms: for what stays open, as a connection. */
  readonly windowMs?: number;
  /** How a value is shown that this forbid of `reveal` hides. */
  readonly mask?: MaskKind;
  /** How often somebody may ask whether a value that this forbid of `reveal` hides equals one that they give: so often in a time, ms. */
  readonly lookups?: Lookups;
  /** How many rows this permit lets one transaction change. */
  readonly rows?: number;
  /** What an answer that this permit allows may come to: rows and octets shown, ms. */
  readonly limit?: { readonly rows?: number; readonly bytes?: number; readonly time?: number };
}

export interface NotesFault {
  readonly message: string;
  readonly cure: string;
}

const KNOWN = ['id', 'reason', 'hint', 'approval', 'quorum', 'window', 'mask', 'lookups', 'rows', 'limit'];
const QUORUM = /^[1-9]$/;
const MAX_WINDOW_MS = 24 * 3_600_000;
const ROWS = /^[1-9][0-9]{0,8}$/;
const NAME = /^[A-Za-z0-9][A-Za-z0-9._:/-]{0,99}$/;
const MAX_TEXT_CHARS = 400;

/**
 * Checks the annotations of one policy.
 *
 * Pure.
 *
 * @param annotations As Cedar read them: name → value, `null` for one without a value.
 * @returns The notes, or everything that is wrong with them. Never throws.
 */
export function readNotes(
  annotations: Readonly<Record<string, string | null>>,
  effect: 'permit' | 'forbid',
): { readonly notes: PolicyNotes } | { readonly faults: readonly NotesFault[] } {
  const faults: NotesFault[] = [];
  for (const name of Object.keys(annotations)) {
    if (!KNOWN.includes(name)) {
      faults.push({
        message: `the annotation @${name} is not known`,
        cure: `use @${KNOWN.join(', @')}, or a comment`,
      });
    }
  }
  const { id, reason, hint, approval, quorum, window, mask, lookups, rows, limit } = annotations;
  if (id === undefined)
    faults.push({ message: 'the policy has no @id', cure: 'write @id("what-it-is-for") before it' });
  else if (!named(id))
    faults.push({ message: '@id is not a name', cure: 'use letters, digits and . _ : / -, at most 100' });
  for (const [name, text] of [
    ['reason', reason],
    ['hint', hint],
  ] as const) {
    if (text !== undefined && !sentence(text))
      faults.push({
        message: `@${name} is empty or longer than ${MAX_TEXT_CHARS} characters`,
        cure: 'write one sentence',
      });
  }
  for (const [name, value] of [
    ['approval', approval],
    ['mask', mask],
    ['lookups', lookups],
  ] as const) {
    if (value !== undefined && effect === 'permit')
      faults.push({
        message: `@${name} does nothing on a permit`,
        cure: 'put it on the forbid that it softens',
      });
  }
  if (approval !== undefined && !named(approval))
    faults.push({ message: '@approval is not a name', cure: 'write who approves, as in @approval("dba")' });
  for (const [name, value] of [
    ['quorum', quorum],
    ['window', window],
  ] as const) {
    if (value !== undefined && approval === undefined)
      faults.push({ message: `@${name} does nothing without @approval`, cure: 'write @approval beside it' });
  }
  if (quorum !== undefined && !isQuorum(quorum))
    faults.push({
      message: `@quorum(${JSON.stringify(quorum)}) is not a number of people`,
      cure: 'write a whole number from 1 to 9, as in @quorum("2")',
    });
  if (window !== undefined && windowOf(window) === undefined)
    faults.push({
      message: `@window(${JSON.stringify(window)}) is not a duration of at most a day`,
      cure: 'write a number with its unit, as in @window("2h")',
    });
  if (mask !== undefined && maskOf(mask) === undefined)
    faults.push({
      message: `@mask(${JSON.stringify(mask)}) is not a mask`,
      cure: `write one of ${[...MASK_KINDS, FULL].join(', ')}`,
    });
  if (lookups !== undefined && lookupsOf(lookups) === undefined)
    faults.push({
      message: `@lookups(${JSON.stringify(lookups)}) is not a number in a time of at most a day`,
      cure: 'write how many in how long, as in @lookups("20/1h"); at most 10000',
    });
  if (rows !== undefined && effect === 'forbid')
    faults.push({
      message: '@rows does nothing on a forbid',
      cure: 'put it on the permit whose changes it bounds',
    });
  else if (rows !== undefined && !isCount(rows))
    faults.push({
      message: `@rows(${JSON.stringify(rows)}) is not a number of rows`,
      cure: 'write a whole number from 1 to 999999999, as in @rows("1000")',
    });
  const limits = limit === undefined ? undefined : limitOf(limit);
  if (limit !== undefined && effect === 'forbid')
    faults.push({
      message: '@limit does nothing on a forbid',
      cure: 'put it on the permit whose answers it limits',
    });
  else if (limit !== undefined && limits === undefined)
    faults.push({
      message: `@limit(${JSON.stringify(limit)}) is not a limit`,
      cure: 'write one or more of rows, bytes and time, as in @limit("rows=1000 bytes=10MiB time=30s")',
    });
  if (faults.length > 0) return { faults };
  return {
    notes: {
      id: id ?? '',
      ...(reason ? { reason } : {}),
      ...(hint ? { hint } : {}),
      ...(approval ? { approval } : {}),
      ...(isQuorum(quorum) ? { quorum: Number(quorum) } : {}),
      ...(typeof window === 'string' ? { windowMs: windowOf(window)! } : {}),
      ...(mask === undefined ? {} : { mask: maskOf(mask)! }),
      ...(lookups === undefined ? {} : { lookups: lookupsOf(lookups)! }),
      ...(isCount(rows) ? { rows: Number(rows) } : {}),
      ...(limits === undefined ? {} : { limit: limits }),
    },
  };
}

const UNITS = { '': 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 } as const;
const LIMIT_VALUES: Readonly<Record<string, (text: string) => number | undefined>> = {
  rows: (text) => (ROWS.test(text) ? Number(text) : undefined),
  bytes: (text) => {
    const [, count, unit] = /^([1-9][0-9]{0,8})(KiB|MiB|GiB)?$/.exec(text) ?? [];
    return count === undefined ? undefined : Number(count) * UNITS[(unit ?? '') as keyof typeof UNITS];
  },
  time: windowOf,
};

/** Undefined: it is not one, or says something twice. */
function limitOf(value: string | null): PolicyNotes['limit'] {
  const limit: Record<string, number> = {};
  for (const word of value?.split(' ') ?? ['']) {
    const at = word.indexOf('=');
    const name = word.slice(0, Math.max(0, at));
    const max = Object.hasOwn(LIMIT_VALUES, name) ? LIMIT_VALUES[name]?.(word.slice(at + 1)) : undefined;
    if (max === undefined || name in limit) return undefined;
    limit[name] = max;
  }
  return limit;
}

const named = (value: string | null): boolean => value !== null && NAME.test(value);
const isCount = (value: unknown): value is string => typeof value === 'string' && ROWS.test(value);
const isQuorum = (value: unknown): value is string => typeof value === 'string' && QUORUM.test(value);

/** The other word for `redact`. */
const FULL = 'full';

function maskOf(value: string | null): MaskKind | undefined {
  return value === FULL ? 'redact' : MASK_KINDS.find((kind) => kind === value);
}

/** What is kept of one budget is a number for each. */
const MAX_LOOKUPS = 10_000;

function lookupsOf(value: string | null): Lookups | undefined {
  const [, digits, time = ''] = /^([1-9][0-9]{0,4})\/(.+)$/.exec(value ?? '') ?? [];
  const [count, ms] = [Number(digits), windowOf(time)];
  return ms === undefined || !(count <= MAX_LOOKUPS) ? undefined : { count, ms };
}

function windowOf(value: string | null): number | undefined {
  const ms = value === null ? undefined : parseDuration(value);
  return ms !== undefined && ms > 0 && ms <= MAX_WINDOW_MS ? ms : undefined;
}

function sentence(value: string | null): boolean {
  return value !== null && value.trim().length > 0 && value.length <= MAX_TEXT_CHARS;
}
