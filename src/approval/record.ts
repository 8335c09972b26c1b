import type { AuditLog, EventFields, EventType } from '../audit/event.ts';
import type { TextSeal } from '../audit/text-seal.ts';
import { HoopError } from '../core/errors.ts';
import type { Principal } from '../identity/principal.ts';
import type { ApprovalRow } from '../storage/approvals.ts';
import type { Approval } from './model.ts';

export interface RecordParts {
  readonly store: { put(row: ApprovalRow): Promise<void> };
  readonly audit: AuditLog;
  /** What was really asked is never kept open. */
  readonly seal: TextSeal;
}

/** What only those who decide may see, and what is done with it. */
type Exact = Pick<Approval, 'original' | 'trial'>;

/** A request as it is kept. */
interface Kept extends Omit<Approval, keyof Exact> {
  readonly sealed?: string;
}

/** What becomes of a request, and what is on record of that. */
export interface Change {
  readonly next: Approval;
  readonly type: EventType;
  /** The person who decided. */
  readonly by?: Principal;
  readonly fields?: EventFields & { readonly operation?: string };
  readonly facts?: Readonly<Record<string, string>>;
}

/** Where each change of a request is written down before it counts. */
export class ApprovalRecord {
  readonly #parts: RecordParts;

  constructor(parts: RecordParts) {
    this.#parts = parts;
  }

  /**
   * On record first, then kept: what could not be kept was not done, and nothing is done that is not on record.
   *
   * @throws {HoopError} `ERR_AUDIT_UNAVAILABLE`: the change must not count.
   */
  async keep(change: Change): Promise<void> {
    await this.tell(change);
    const { next } = change;
    const document = JSON.stringify(this.#kept(next));
    try {
      await this.#parts.store.put({ id: next.id, open: isOpen(next), document });
    } catch (error) {
      throw new HoopError('ERR_AUDIT_UNAVAILABLE', 'the request for approval cannot be kept', {
        cause: error,
      });
    }
  }

  #kept({ original, trial, ...rest }: Approval): Kept {
    // Whoever decides reads it; nobody does, once that is done.
    if ((original ?? trial) === undefined || rest.state !== 'pending') return rest;
    return { ...rest, sealed: this.#parts.seal.seal(JSON.stringify({ original, trial }), rest.id) };
  }

  /**
   * Reads one as it was kept. A question whose text does not open any more can be decided by nobody.
   *
   * @throws {HoopError} `ERR_CONFIG` it cannot be read.
   */
  read(document: string): Approval {
    try {
      const { sealed, ...approval } = JSON.parse(document) as Kept;
      if (sealed === undefined) return approval;
      const text = this.#parts.seal.open(sealed, approval.id);
      if (text === undefined) return { ...approval, state: 'failed', endReason: NOT_OPENED };
      return { ...approval, ...(JSON.parse(text) as Exact) };
    } catch (error) {
      throw new HoopError('ERR_CONFIG', 'a request for approval that was kept cannot be read', {
        cause: error,
      });
    }
  }

  /** Only on record: what was asked with the question, who decided with the decision. @throws As `keep`. */
  async tell({ next, type, by, fields = {}, facts = {} }: Change): Promise<void> {
    const { id, actor, session, resource, protocol } = next;
    const who = by === undefined ? {} : { decidedBy: by.name, issuer: by.issuer, subject: by.subject };
    const asked = type === 'approval.requested' ? askedOf(next) : {};
    const event = { type, actor, session, resource, protocol, ...asked, ...fields };
    await this.#parts.audit.append({ ...event, facts: { approval: id, ...who, ...facts } });
  }
}

function askedOf({ actions, objects, rules, policyVersion, text, original }: Approval) {
  return { actions, objects, rules, policyVersion, text, ...(original === undefined ? {} : { original }) };
}

/** It may still be decided or used. */
export function isOpen({ state, usedBy }: Approval): boolean {
  return state === 'pending' || (state === 'approved' && usedBy === undefined);
}

const NOT_OPENED = 'what was asked was sealed with another key: ask again';
