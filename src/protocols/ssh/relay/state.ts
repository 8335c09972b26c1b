import type { Client } from 'ssh2';
import type { Allowance } from '../../../core/allowance.ts';
import type { BulkMemory } from '../../../core/bytes/bulk-memory.ts';
import type { HoopError } from '../../../core/errors.ts';
import type { DetectorSet } from '../../../masking/detectors/index.ts';
import type { PolicyObject } from '../../../policy/model.ts';
import type { StreamContext } from '../../adapter.ts';
import type { CleanText } from '../../stream/for-people.ts';
import type { ShownOutput } from '../../stream/terminal/output.ts';
import type { Turn, Turns } from '../sftp/turns.ts';
import type { SshTarget } from '../target/ssh-target.ts';
import type { Intake } from './intake.ts';
import type { Gate } from './sink.ts';
import type { Windows } from './windows.ts';
import type { Hearer } from './words.ts';

/** What connections of one resource share. */
export interface ConnectionParts {
  readonly bulk: BulkMemory;
  readonly target: SshTarget;
  /** As it is dialled. */
  readonly hostName: string;
  readonly host: PolicyObject;
  /** The gateway's own, in OpenSSH's format. */
  readonly hostKey: string;
  /** Whether a client may set this variable. */
  readonly mayBeSet: (name: string) => boolean;
  /** Where the host may listen for clients, whatever policy permits; undefined: nowhere. */
  readonly listens: 'loopback' | 'any' | undefined;
  /** Memory that all sessions hold together. */
  readonly allowance: Allowance;
  /** Among sessions of SFTP. */
  readonly turns: Turns;
  /** In force now. */
  readonly detectors: () => { readonly set: DetectorSet; readonly tags: readonly string[] };
}

/** What a channel knows of its connection. */
export interface ConnectionState {
  readonly context: StreamContext;
  readonly parts: ConnectionParts;
  readonly clean: CleanText;
  /** To the client. */
  readonly gate: Gate;
  /** Of the client's channels. */
  readonly windows: Pick<Windows, 'of'>;
  /** From the client. */
  readonly intake: Pick<Intake, 'during'>;
  /** Aborted when the client has left. */
  readonly gone: AbortSignal;
  /** What a program prints, as policy is when it does. */
  shown(): ShownOutput;
  /** The connection to the host, made when it is first asked for. @throws {HoopError} `ERR_TARGET_…` */
  upstream(): Promise<Upstream>;
  /** Among the same principal's sessions of SFTP at this host. */
  turn(alone: boolean): Promise<Turn>;
  /** Octets have come, or were taken, of what may be idle. */
  moved(): void;
  /** Says it, each a line, on the standard error of what runs over the connection, or of what runs next. */
  remark(texts: readonly string[]): void;
  /** Something begins to run in a channel. */
  runs(channel: Hearer): void;
  /** The session cannot go on. */
  over(reason: HoopError): void;
}

export interface Upstream {
  readonly client: Client;
  /** To the host. */
  readonly gate: Gate;
  /** Of the host's channels. */
  readonly windows: Pick<Windows, 'of'>;
}
