import type { AttenuationItem } from '../api/contract.ts';
import type { Later } from '../core/later.ts';
import type { PolicyValue, RuleRef } from '../policy/model.ts';

/** What an event is about. A closed list: search and docs name them all. */
export const EVENT_TYPES = [
  'gateway.started',
  'gateway.stopped',
  'config.reloaded',
  'login.exchanged',
  'login.refused',
  'credential.renewed',
  'credential.revoked',
  'lease.begun',
  'lease.ended',
  'session.started',
  'session.refused',
  'session.ended',
  'operation.decided',
  'operation.closed',
  'audit.searched',
  'audit.exported',
  'policy.replayed',
  'audit.recovered',
  'recording.viewed',
  'session.killed',
  'approval.requested',
  'approval.viewed',
  'approval.tried',
  'approval.granted',
  'approval.denied',
  'approval.expired',
  'approval.cancelled',
  'approval.used',
] as const;
export type EventType = (typeof EVENT_TYPES)[number];

/** `explained`: it was sent where nothing runs, to be told what policy says of it. */
type DecisionWord = 'allow' | 'deny' | 'hold' | 'explained';
export type OutcomeWord = 'success' | 'failure' | 'unknown';

/** Who caused it. All public: none of these is a secret or a target's data. */
export interface Actor {
  readonly kind: 'agent' | 'person';
  readonly name: string;
  readonly person?: string;
  /** Of the person that an agent acts for. */
  readonly personGroups?: readonly string[];
  readonly issuer: string;
  readonly subject: string;
  readonly groups: readonly string[];
  readonly instance: string;
  readonly login: string;
  readonly attested: Readonly<Record<string, string>>;
  readonly declared: Readonly<Record<string, string>>;
  /** What the instance gave up of its rights; absent: nothing. */
  readonly attenuation?: AttenuationItem;
}

/**
 * What was really asked, in texts and lists of texts under names of the protocol's: PostgreSQL's are `statement` and
 * `parameters`. Named in the order of their worth: what comes last is cut first.
 */
export type Original = Readonly<Record<string, string | readonly (string | null)[]>> & {
  /** Kept for the seal, which says by it that something was cut. */
  readonly cut?: never;
};

/** What policy was asked of an operation: enough to ask another policy the same. Holds nothing that a caller wrote and `objects` lacks. */
export interface AskedQuestion {
  /** What it is done to and what that hangs in, each behind its parent, which is named by its place in this list. */
  readonly objects: readonly AskedObject[];
  /** Action, place of its object, and 1 where the target counts the rows that it changes. */
  readonly pairs: readonly (readonly [action: string, object: number, counted?: 1])[];
  /** Facts of the request that evidence may hold in clear. */
  readonly context: Readonly<Record<string, PolicyValue>>;
  /** Names of the facts that it may not. */
  readonly withheld?: readonly string[];
  /** It was made ready only: what it needs an approval for is asked when it runs. */
  readonly prepares?: true;
}

/** Attributes are null where the id is as evidence shows it and not the whole, and of what is a text. */
type AskedObject = readonly [
  type: string,
  id: string,
  attrs: Readonly<Record<string, PolicyValue>> | null,
  parent?: number,
];

/**
 * What the writer is handed. The writer adds `id`, `at`, `schemaVersion` and the place in the chain.
 *
 * `text` is masked: it is what is indexed and shown. `original` is sealed before it is stored and never indexed.
 */
export interface EventInput extends EventFields {
  readonly type: EventType;
  /** Ties `operation.closed`, and what becomes of a session, to its `operation.decided` (`op_…`). */
  readonly operation?: string;
  /** Secret: what was really asked. */
  readonly original?: Original;
  /** Fields that come again with many events, as one object that nobody changes: its text is made once. */
  readonly common?: EventFields;
}

/** What an event says beside its type. */
export interface EventFields {
  readonly actor?: Actor;
  /** Gateway session (`ses_…`). */
  readonly session?: string;
  readonly resource?: string;
  readonly protocol?: string;
  readonly text?: string;
  /** Actions asked, distinct, in order of appearance: `sql.select`. */
  readonly actions?: readonly string[];
  /** Objects touched, distinct, as policy ids: `pg-prod/public.customers`. */
  readonly objects?: readonly string[];
  readonly decision?: DecisionWord;
  readonly rules?: readonly RuleRef[];
  readonly policyVersion?: string;
  /** What policy was asked, or that it was refused whatever policy says. */
  readonly asked?: AskedQuestion | { readonly refused: true };
  /** Why, when no rule says it: an error code or a short sentence. */
  readonly reason?: string;
  readonly outcome?: OutcomeWord;
  /** What the target answered, in its protocol's own code: `42501`, `403`, `exit 1`. */
  readonly status?: string;
  readonly rows?: number;
  readonly bytes?: number;
  readonly maskedValues?: number;
  readonly durationMs?: number;
  /** Small public facts of the type: counts, versions, file names. */
  readonly facts?: Readonly<Record<string, string | number | boolean>>;
}

/** An event as it stands in the chain and as `audit search --json` prints it. */
export interface AuditEvent extends Omit<EventInput, 'original' | 'common'> {
  /** 1 had `sqlstate` for `status`. */
  readonly schemaVersion: 2;
  readonly id: string;
  /** RFC 3339, UTC, milliseconds. */
  readonly at: string;
  readonly sealed?: SealedText;
  /** What did not fit and is not whole here: see `EVENT_LIMITS`. */
  readonly cut?: readonly (
    | 'text'
    | 'reason'
    | 'actions'
    | 'objects'
    | 'rules'
    | 'facts'
    | 'asked'
    | 'original'
  )[];
}

/**
 * AES-256 in counter mode and a tag of SHA-512/256 under keys derived from `sealKey`. `keyId` is `<seal key's id>.<salt of the
 * data keys>`, `nonce` the first block of the key stream, decimal, `data` ciphertext and tag, base64url.
 */
export interface SealedText {
  readonly keyId: string;
  readonly nonce: string;
  readonly data: string;
}

/** Appends to this writer's own chain. */
export interface AuditLog {
  /**
   * Stores an event: at once so that it survives `kill -9` (`durability: process`), or after a while so that it survives
   * a power cut (`strict`, where what arrives while the disk is busy shares the next write). Order of calls is order in
   * the chain.
   *
   * @returns The event's id, once it is stored. Rejects with `ERR_AUDIT_UNAVAILABLE`: nothing may be forwarded on its
   *   account. Never throws at once.
   */
  append(event: EventInput): Later<string>;
  /** Stores an event with the next one, or within 25 ms. Best effort: if that fails it is lost. Never throws. */
  appendSoon(event: EventInput): void;
  /** Everything appended so far is stored when it resolves. */
  flush(): Promise<void>;
  close(): Promise<void>;
}
