import { randomBytes } from 'node:crypto';
import type { Principal } from '../../../identity/principal.ts';

/** What a role's name begins with that hoopd has made. */
const PREFIX = 'hoop_';
/** PostgreSQL's bound on a name, octets. */
const NAME_BYTES = 63;
const MADE_HERE = /^hoop_[a-z0-9_]{1,58}$/;
/** An identifier of ours without what says what it names. */
const INSTANCE_CHARACTERS = 26;
/** So long after its deadline nobody's clock says that a role of another gateway's may still be in use, ms. */
const WELL_PAST_MS = 60 * 60 * 1000;
/** A session that reached its deadline is given this to end, ms. */
const JUST_PAST_MS = 60 * 1000;

/** Who made a role and until when, as its comment at the target says. All of it may be read by whoever has a login there. */
export interface RoleMark {
  /** The gateway's name in audit chains. */
  readonly gateway: string;
  /** One start of it: the chain that it writes. */
  readonly boot: string;
  readonly resource: string;
}

/** A role's mark. */
interface SessionMark extends RoleMark {
  readonly session: string;
  /** RFC 3339. */
  readonly deadline: string;
}

/**
 * Names a role for who works in it: `hoop_<agent>_<instance>_<random>`, of letters, digits and underscores, so that the target's
 * own log and `pg_stat_activity` say whose statement it was.
 */
export function roleName({ name, instance }: Pick<Principal, 'name' | 'instance'>): string {
  const tail = `_${safe(instance.replace(/^ins_/, '')).slice(-INSTANCE_CHARACTERS)}_${randomBytes(4).toString('hex')}`;
  return `${PREFIX}${safe(name).slice(0, NAME_BYTES - PREFIX.length - tail.length)}${tail}`;
}

function safe(text: string): string {
  return text.toLowerCase().replace(/[^a-z0-9]+/g, '_');
}

/** A role's comment. */
export function markText(mark: RoleMark, session: string, deadlineMs: number): string {
  const { gateway, boot, resource } = mark;
  return JSON.stringify({ hoopd: 1, gateway, boot, resource, session, deadline: isoTime(deadlineMs) });
}

/** @returns Undefined where the name or the comment is none of hoopd's. */
export function readMark(name: string, comment: string): SessionMark | undefined {
  if (!MADE_HERE.test(name)) return undefined;
  try {
    const mark = JSON.parse(comment) as Partial<SessionMark> & { readonly hoopd?: unknown };
    const { gateway, boot, resource, session, deadline } = mark;
    const texts = [gateway, boot, resource, session, deadline];
    if (mark.hoopd !== 1 || !texts.every((one) => typeof one === 'string')) return undefined;
    return Number.isNaN(Date.parse(deadline as string)) ? undefined : (mark as SessionMark);
  } catch {
    return undefined;
  }
}

/**
 * Whether a role has been left behind: of an earlier start of this gateway at this resource, or past its deadline. One of
 * another gateway or resource only when it is well past it, for whoever made it may still be there and drops its own.
 */
export function isLeftBehind(mark: SessionMark, mine: RoleMark, nowMs: number): boolean {
  const pastMs = nowMs - Date.parse(mark.deadline);
  if (mark.gateway !== mine.gateway || mark.resource !== mine.resource) return pastMs > WELL_PAST_MS;
  return mark.boot !== mine.boot || pastMs > JUST_PAST_MS;
}

export function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}
