import type { ClientChannel, ServerChannel } from 'ssh2';
import type { HoopError } from '../../../core/errors.ts';
import type { Later } from '../../../core/later.ts';
import type { Approvable, ApprovalWait } from '../../../enforcement/operation.ts';
import type { Denied, Guard, Question } from '../../stream/guard.ts';
import type { OpenOperation } from '../../stream/operations.ts';
import type { Source } from '../../stream/outlet.ts';
import { Stands } from '../../stream/stands.ts';
import { SSH_LIMITS } from '../limits.ts';
import { SftpObserver } from '../sftp/observer.ts';
import type { SftpAsk } from '../sftp/question.ts';
import type { Sink } from './sink.ts';
import type { ConnectionState } from './state.ts';

/** What a session of SFTP needs of its channel. */
export interface FilesParts {
  readonly connection: ConnectionState;
  readonly guard: Guard;
  readonly channel: ServerChannel;
  readonly remote: ClientChannel;
  readonly toClient: Sink;
  readonly toHost: Sink;
  /** Of `channel` and of `remote`. */
  readonly window: Source;
  readonly hostWindow: Source;
  readonly wait: Pick<ApprovalWait, 'signal' | 'told'>;
  /** Whether the session of SFTP itself is permitted still. */
  readonly goesOn: () => boolean;
  /** So many octets go to the client. */
  readonly moved: (bytes: number) => void;
  /** Said to the client as no packet can. */
  readonly denied: (answer: Denied) => void;
  readonly failed: (error: HoopError) => void;
}

/** Carries a channel's two directions as SFTP. @returns To be ended with the channel. */
export function carriedFiles(parts: FilesParts): Pick<SftpObserver, 'end' | 'maskedValues'> {
  const { connection, guard, channel, remote, toClient, toHost, window, hostWindow, moved } = parts;
  const { held } = connection.gate;
  let [paused, ended, unread, cost] = [false, false, false, 0];
  const weigh = () => {
    held.free(cost);
    cost = files.waitingBytes === 0 ? 0 : held.add(files.waitingBytes);
  };
  const answers: Source = {
    pause: () => {
      unread = true;
      hostWindow.pause();
    },
    resume: () => {
      unread = false;
      hostWindow.resume();
      files.goOn();
    },
  };
  const files: SftpObserver = new SftpObserver({
    host: connection.parts.host,
    clean: connection.clean,
    ask: (question, waits) => asked(parts, question, waits),
    turn: (alone) => connection.turn(alone),
    // Its server has left then.
    ends: (turn) => (remote.closed ? turn() : remote.once('close', turn)),
    hasRoom: () => !unread,
    stands: (question, operation) => new Stands(guard, question, operation),
    toTarget: (bytes) => toHost.send(remote, bytes, window),
    toClient: (bytes) => {
      moved(bytes.length);
      toClient.send(channel, bytes, answers);
    },
    taken: () => {
      weigh();
      if (paused) window.resume();
      paused = false;
      if (ended) toHost.emptied(() => remote.end());
    },
    failed: parts.failed,
    guard,
  });
  channel.on('data', (chunk: Buffer) => {
    if (!parts.goesOn()) return;
    files.fromClient(chunk);
    weigh();
    if (files.waitingBytes <= SSH_LIMITS.waitingBytes) return;
    window.pause();
    paused = true;
  });
  channel.once('end', () => {
    ended = true;
    files.goOn();
  });
  remote.on('data', (chunk: Buffer) => files.fromTarget(chunk));
  const end = () => {
    files.end();
    weigh();
  };
  return { end, maskedValues: files.maskedValues };
}

async function asked(
  { guard, wait, denied }: FilesParts,
  { exact, ...question }: SftpAsk,
  waits: () => void = () => undefined,
): Promise<OpenOperation | Denied> {
  const approvable: Approvable = {
    exact: () => exact,
    wait: {
      ...wait,
      told: (hold) => {
        waits();
        wait.told(hold);
      },
      again: (): Later<Question> => ({ ...question, approvable }),
    },
  };
  const answer = await guard.ask({ ...question, approvable });
  if (answer.effect === 'deny') denied(answer);
  return answer;
}
