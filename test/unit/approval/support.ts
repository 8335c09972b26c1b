import { DatabaseSync } from 'node:sqlite';
import { ApprovalDesk, type ApprovalTerms } from '../../../src/approval/desk.ts';
import type { Approval } from '../../../src/approval/model.ts';
import type { Actor, AuditLog, EventInput } from '../../../src/audit/event.ts';
import { newSealKeyText, parseSealKey, type SealKey } from '../../../src/audit/keys.ts';
import { TextSeal } from '../../../src/audit/text-seal.ts';
import { HoopError } from '../../../src/core/errors.ts';
import { SqliteApprovalStore } from '../../../src/storage/approvals.ts';

/** An audit log that keeps its events, or fails. */
class EventList implements AuditLog {
  readonly events: EventInput[] = [];
  failing = false;
  async append(event: EventInput): Promise<string> {
    if (this.failing) throw new HoopError('ERR_AUDIT_UNAVAILABLE');
    this.appendSoon(event);
    return `evt_${this.events.length}`;
  }
  appendSoon({ common, ...event }: EventInput): void {
    this.events.push({ ...common, ...event });
  }
  get types(): readonly string[] {
    return this.events.map(({ type }) => type);
  }
  async flush(): Promise<void> {}
  async close(): Promise<void> {}
}

/** A desk over a database in memory, whose clock a test moves. */
export class DeskSetUp {
  readonly database = new DatabaseSync(':memory:');
  readonly log = new EventList();
  readonly live = new Set(['ses_1', 'ses_2', 'ses_3']);
  readonly terms: ApprovalTerms = { waitMs: 45_000, lifeMs: 3_600_000, signedInMs: 900_000 };
  /** What was told of changes. */
  readonly told: Approval[] = [];
  sealKey = parseSealKey(newSealKeyText());
  formerSealKeys: SealKey[] = [];
  now = 1_700_000_000_000;
  readonly clock = { now: () => this.now };
  desk = this.open();

  /** As after a restart: what was kept is there, and nothing else. */
  open(): ApprovalDesk {
    return new ApprovalDesk({
      store: new SqliteApprovalStore(this.database),
      audit: this.log,
      seal: new TextSeal(this.sealKey, this.formerSealKeys),
      clock: this.clock,
      terms: () => this.terms,
      sessionLives: (session) => this.live.has(session),
      changed: (approval) => this.told.push(approval),
    });
  }
}

const ACTOR: Actor = {
  kind: 'agent',
  name: 'shop-copilot',
  person: 'maya',
  issuer: 'https://login.test',
  subject: 'sub-maya',
  groups: ['ai-agents'],
  instance: 'ins_1',
  login: 'lgn_1',
  attested: {},
  declared: {},
};

/** A question as the engine asks it. */
export function question(more: Partial<Approval> = {}) {
  return {
    binding: 'b1',
    needs: [{ name: 'dba', count: 1 }],
    session: 'ses_1',
    resource: 'pg',
    protocol: 'postgres',
    actor: ACTOR,
    rules: [{ id: 'ddl' }],
    text: 'DROP TABLE t',
    original: { statement: 'DROP TABLE t' },
    actions: ['sql.drop'],
    objects: ['pg/public.t'],
    policyVersion: 'v1',
    deadline: 1_800_000_000_000,
    ...more,
  };
}
