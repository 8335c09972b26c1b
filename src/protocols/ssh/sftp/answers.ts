import { HoopError } from '../../../core/errors.ts';
import { FieldReader, string } from '../../../wire/ssh/fields.ts';
import type { OpenOperation } from '../../stream/operations.ts';
import { OpenFile, type OpenFiles } from './open-files.ts';
import { bodyOf, failureOf, HEAD_BYTES, idOf, PACKET, packet, typeOf, VERSION } from './packets.ts';
import { EXTENSIONS } from './request.ts';
import type { Turn } from './turns.ts';

/** Where it is recorded what becomes of an operation: the channel's guard. */
export interface SftpEvidence {
  note(text: string, of: OpenOperation): void;
  ended(status: string, of: OpenOperation): void;
}

/** What an answer of the target is to. */
export type Pending =
  | { readonly kind: 'plain' }
  | { readonly kind: 'asked'; readonly operation: OpenOperation; readonly turn?: Turn }
  | {
      readonly kind: 'opens';
      readonly operation: OpenOperation;
      readonly path: string;
      readonly stands: OpenFile['stands'];
      readonly turn: Turn;
    }
  | { readonly kind: 'reads'; readonly file: OpenFile; readonly offset: bigint }
  | { readonly kind: 'closes'; readonly file: OpenFile }
  /** Of the gateway itself: the client never sees it. */
  | { readonly kind: 'own'; answered(answer: Buffer): void; failed(error: HoopError): void };

/** Extensions that the target has, of those that are carried. */
export interface TargetVersion {
  readonly packet: Buffer;
  readonly extensions: ReadonlySet<string>;
}

/**
 * The target's `version`, without what is not carried: a client uses what it is told of.
 *
 * @throws {HoopError} `ERR_TARGET_LOST` it is none, or another version.
 */
export function versionOf(answer: Buffer): TargetVersion {
  if (typeOf(answer) !== PACKET.version || idOf(answer) !== VERSION)
    throw new HoopError('ERR_TARGET_LOST', 'the target does not speak version 3 of SFTP');
  const fields = new FieldReader(bodyOf(answer));
  const extensions = new Set<string>();
  const kept: Buffer[] = [];
  while (!fields.done) {
    const [name, data] = [fields.text(), fields.string()];
    if (!EXTENSIONS.has(name)) continue;
    extensions.add(name);
    kept.push(string(name), string(data));
  }
  return { packet: packet(PACKET.version, VERSION, ...kept), extensions };
}

/** The outcome that an answer of the target tells goes on record, and what it opened is known from here on. */
export function settle(
  pending: Exclude<Pending, { kind: 'own' }>,
  answer: Buffer,
  files: OpenFiles,
  guard: SftpEvidence,
): void {
  const failure = failureOf(answer);
  switch (pending.kind) {
    case 'plain':
      return;
    case 'asked':
      return ended(pending.operation, failure, guard);
    case 'opens':
      if (typeOf(answer) !== PACKET.handle) return ended(pending.operation, failure ?? 'no handle', guard);
      return files.add(
        new FieldReader(bodyOf(answer)).string(),
        new OpenFile(pending.path, pending.operation, pending.stands),
      );
    case 'reads':
      if (typeOf(answer) === PACKET.data) pending.file.read(pending.offset, answer.subarray(HEAD_BYTES + 4));
      return;
    case 'closes':
      return closed(pending.file, failure, guard);
  }
}

/** What was copied of a file goes on record. @param failure As the target says it. */
export function closed(file: OpenFile, failure: string | undefined, guard: SftpEvidence): void {
  for (const line of file.told()) guard.note(line, file.operation);
  ended(file.operation, failure, guard);
}

function ended(operation: OpenOperation, failure: string | undefined, guard: SftpEvidence): void {
  guard.ended(failure ?? 'SSH_FX_OK', operation);
  operation.close(failure === undefined ? 'success' : 'failure', failure);
}
