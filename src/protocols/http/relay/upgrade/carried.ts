import type { Duplex } from 'node:stream';
import type { HoopError } from '../../../../core/errors.ts';
import type { MachineWord } from '../../../../core/refusal-line.ts';
import type { Hold, Refusal } from '../../../../enforcement/operation.ts';
import type { FieldPath } from '../../../../masking/json/field-path.ts';
import type { IdleTimer } from '../../../stream/client-turn.ts';
import type { Guard, Question } from '../../../stream/guard.ts';
import type { OpenOperation } from '../../../stream/operations.ts';
import type { Outputs } from '../../../stream/terminal/outputs.ts';
import type { CanonicalRequest } from '../../request/canonical.ts';
import type { Field } from '../../request/fields/read-fields.ts';
import type { AskedUpgrade } from '../../request/fields/upgrade.ts';
import type { AnswerMasks } from '../../shown/masks.ts';
import type { Sight } from '../answer-view.ts';

/** A protocol that a connection can be upgraded to, once the upgrade was decided. */
export interface Carried {
  /** As `Upgrade` names it, in lower case. */
  readonly protocol: string;
  /**
   * The two handshakes of one upgrade: the client's was read, the target's is made.
   *
   * @param request That asks for it.
   * @returns Refused: it is not carried for this request, or not as it is asked for.
   */
  begin(asked: AskedUpgrade, request: CanonicalRequest): Handshake | Refusal;
}

export interface Handshake {
  /** What the target is asked with, beside `Connection` and `Upgrade`. */
  readonly fields: readonly Field[];
  /**
   * What the client's 101 has, beside `Connection` and `Upgrade`, by the target's.
   *
   * @param rawHeaders Of the target's 101, names and values in turn.
   * @returns Undefined: the target did not take up what it was asked.
   */
  accepted(rawHeaders: readonly string[]): readonly Field[] | undefined;
  /** What is carried is messages, behind the client's 101; else it is recorded as what it is. */
  readonly messages: boolean;
  /** Undefined: the client has its 101 when the target has given one. */
  readonly ahead?: Ahead | undefined;
  /** Carries what both say until one of them, or the session, ends it. Closes both streams. Never rejects. */
  carry(ends: CarriedEnds, on: Carrying): Promise<CarriedEnd>;
}

/** What a client can be told while it waits for people: it has its 101 ahead of the target's then. */
export interface Ahead {
  /** All that its 101 has. */
  readonly fields: readonly Field[];
  /** Called once. From then on the target is asked for nothing else than what the client was promised. */
  begin(client: Duplex, on: WaitingOn): Waiting;
}

export interface WaitingOn {
  /** What the client is about to be given, before it is. */
  readonly guard: Pick<Guard, 'output' | 'stderr' | 'ended'>;
  /** It has gone, does not want it any more, or says what it must not. */
  readonly left: (reason: HoopError) => void;
}

/** A client that has its 101, and waits. What it says is read, within bounds, and kept. */
export interface Waiting {
  tell(hold: Hold): void;
  /** It waits no more: what it has said is the first that `carry` reads. */
  goOn(): Duplex;
  /** It may not, and is told why. Resolves when its connection is closed. Never rejects. */
  refuse(reason: HoopError, word?: MachineWord): Promise<void>;
}

export interface CarriedEnds {
  readonly client: Duplex;
  readonly target: Duplex;
}

/** What is known of an upgrade while it lasts. */
export interface Carrying {
  readonly guard: Guard;
  readonly operation: OpenOperation;
  /** What was decided: it is asked again when policy has changed, and with each message where rules look at these. */
  readonly question: Question;
  /** Members of messages that rules look at; none: messages are not decided one by one. */
  readonly paths: readonly FieldPath[];
  readonly idle: IdleTimer;
  /** Aborted to end it, with a `HoopError` for a reason. */
  readonly signal: AbortSignal;
  /** How what the target says is shown, as policy is now. */
  sight(): Sight;
  /** How what programs print is shown. */
  readonly outputs: Outputs;
  /** What nobody is to read in the recording of what the client says. */
  hides(): AnswerMasks;
}

/** How it ended, for the audit. */
export interface CarriedEnd {
  readonly outcome: 'success' | 'failure' | 'unknown';
  /** In the protocol's own words: a WebSocket's code. */
  readonly status: string;
  readonly reason?: string;
}
