import type { Client, ClientChannel, PseudoTtyInfo, PseudoTtyOptions } from 'ssh2';
import { HoopError } from '../../../core/errors.ts';
import type { Asked } from './asked.ts';
import { SIGNALS } from './signals.ts';

/** What runs at the host. */
export interface Remote {
  /** It has a silent `error` listener. */
  readonly channel: ClientChannel;
  /** Resolves when the channel is closed and all of it was read. */
  readonly exit: Promise<Exit>;
}

/**
 * Starts at the host what a client has asked for.
 *
 * @throws {HoopError} `ERR_TARGET_LOST` the connection is gone; `ERR_UNSUPPORTED` the host does not do it.
 */
export function started(client: Client, { start, terminal, variables }: Asked): Promise<Remote> {
  const env = Object.fromEntries(variables);
  const pty = terminal === undefined ? undefined : ptyOf(terminal);
  return new Promise((resolve, reject) => {
    const answered = (error: Error | undefined, channel: ClientChannel) => {
      if (error !== undefined) return reject(refused(error));
      channel.on('error', () => undefined);
      leftToHost(channel);
      // Listened for in this very turn: the exit may stand in the same octets as the answer.
      resolve({ channel, exit: exitOf(channel) });
    };
    try {
      if (start.kind === 'exec')
        client.exec(start.command, { env, ...(pty === undefined ? {} : { pty }) }, answered);
      else if (start.kind === 'shell') client.shell(pty ?? false, { env }, answered);
      else client.subsys(start.name, answered);
    } catch (error) {
      reject(new HoopError('ERR_TARGET_LOST', undefined, { cause: error }));
    }
  });
}

/**
 * A channel is the host's to close: its CLOSE comes behind the exit status (RFC 4254 section 6.10), and an end of both
 * directions may stand long before it, where a program has closed its outputs. Node destroys a stream as soon as both have ended,
 * which to ssh2 is a CLOSE of ours, and for that OpenSSH hangs up whatever runs in a terminal. Whoever wants it closed calls `close`.
 */
function leftToHost(channel: ClientChannel): void {
  channel.destroy = () => channel;
}

function ptyOf({ rows, cols, width, height, term, modes }: PseudoTtyInfo): PseudoTtyOptions {
  return { rows, cols, width, height, term, modes };
}

function refused(error: Error): HoopError {
  return new HoopError('ERR_UNSUPPORTED', 'the host does not run it', { detail: error.message });
}

/** How something ended at the host. */
interface Exit {
  readonly code: number | undefined;
  readonly signal: string | undefined;
  readonly dumped: boolean;
  /** `exit 1`, `signal KILL`, or that nobody knows. */
  readonly words: string;
}

function exitOf(channel: ClientChannel): Promise<Exit> {
  return new Promise((resolve) => {
    let exit: Exit = {
      code: undefined,
      signal: undefined,
      dumped: false,
      words: 'no exit status',
    };
    channel.on('exit', (code: number | null, name?: string, dumped?: boolean) => {
      if (code !== null) exit = { ...exit, code, words: `exit ${code}` };
      else if (name !== undefined) {
        const said = name.replace(/^SIG/, '');
        // Whatever else a host calls it: its own words are in no record, and not told.
        const signal = SIGNALS.has(said) ? said : 'TERM';
        const words = signal === said ? `signal ${signal}` : 'a signal';
        exit = { ...exit, signal, dumped: dumped === true, words };
      }
    });
    let open = 2;
    const ended = () => {
      open--;
      if (open === 0) resolve(exit);
    };
    channel.once('close', ended);
    channel.stderr.once('end', ended);
  });
}
