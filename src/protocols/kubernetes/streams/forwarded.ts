import { stepLine } from '../../../core/refusal-line.ts';
import type { Headers } from '../../../wire/http/spdy/header-block.ts';
import type { Carrying } from '../../http/relay/upgrade/carried.ts';
import type { Guard, Question } from '../../stream/guard.ts';
import type { OpenOperation } from '../../stream/operations.ts';
import { Stands } from '../../stream/stands.ts';

/** What a stream is opened for: one of the two that a connection to a port has. */
export interface AskedForward {
  readonly type: 'data' | 'error';
  readonly port: number;
  /** By which its client calls the connection. */
  readonly request: string;
}

/** One stream, at both ends. */
export interface ForwardedStream extends AskedForward {
  readonly connection: ForwardedConnection;
  readonly clientId: number;
  readonly targetId: number;
  clientDone: boolean;
  targetDone: boolean;
}

const MAX_PORT = 0xffff;

/** Pure. @returns Undefined: it names no port, or no connection. */
export function readForward(headers: Headers): AskedForward | undefined {
  const one = (wanted: string) => {
    const values = headers.flatMap(([name, value]) => (name === wanted ? [value] : []));
    return values.length === 1 ? values[0]! : '';
  };
  const [type, port, request] = [one('streamtype'), one('port'), one('requestid')];
  if ((type !== 'data' && type !== 'error') || !/^[1-9][0-9]{0,4}$/.test(port) || Number(port) > MAX_PORT)
    return undefined;
  return /^[0-9]{1,10}$/.test(request) ? { type, port: Number(port), request } : undefined;
}

/** One connection to a port of a pod: an operation of its own. */
export class ForwardedConnection {
  readonly port: number;
  /** Why it may not be; undefined: it may. */
  readonly denied: string | undefined;
  readonly #operation: OpenOperation | undefined;
  readonly #stands: Stands | undefined;
  readonly #streams: ForwardedStream[] = [];
  /** Octets to the pod. */
  given = 0;

  private constructor(
    port: number,
    denied: string | undefined,
    operation: OpenOperation | undefined,
    stands: Stands | undefined,
  ) {
    this.port = port;
    this.denied = denied;
    this.#operation = operation;
    this.#stands = stands;
  }

  /** @throws {HoopError} The session is to end. */
  static async ask({ guard, question }: Carrying, { port }: AskedForward): Promise<ForwardedConnection> {
    const { pairs, context, text, original } = question;
    const asked: Question = {
      pairs,
      context: { ...context, ports: [port] },
      text: `${text}: port ${port}`,
      original: { ...original, port: String(port) },
    };
    const answer = await guard.ask(asked);
    if (answer.effect === 'deny')
      return new ForwardedConnection(
        port,
        `${answer.denial.code}: ${answer.denial.message} ${stepLine(answer.denial)}`,
        undefined,
        undefined,
      );
    return new ForwardedConnection(port, undefined, answer, new Stands(guard, asked, answer));
  }

  /** Undefined: it was refused. */
  get stands(): Stands | undefined {
    return this.#stands;
  }

  has(type: AskedForward['type']): boolean {
    return this.#streams.some((one) => one.type === type);
  }

  add(stream: ForwardedStream): void {
    this.#streams.push(stream);
  }

  /** Octets have come from the pod. */
  taken(bytes: number): void {
    if (this.#operation === undefined) return;
    this.#operation.bytes += bytes;
    this.#operation.answered = true;
  }

  /** All of its streams have ended at both ends, the one with the data among them. */
  get isOver(): boolean {
    return this.has('data') && this.#streams.every((one) => one.clientDone && one.targetDone);
  }

  /** Its end is on record. Safe to call twice. */
  close(guard: Guard): void {
    const operation = this.#operation;
    if (operation?.open !== true) return;
    const { port, given } = this;
    guard.note(`port ${port}: ${given} octets to the pod, ${operation.bytes} from it`, operation);
    operation.close('success', 'closed');
  }
}
