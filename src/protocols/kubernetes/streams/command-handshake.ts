import type { Turns } from '../../../core/turns.ts';
import { websocketAccept } from '../../../wire/http/websocket/handshake.ts';
import type {
  Ahead,
  CarriedEnd,
  CarriedEnds,
  Carrying,
  Handshake,
} from '../../http/relay/upgrade/carried.ts';
import { WebSocketHandshake } from '../../http/relay/upgrade/websocket/handshake.ts';
import type { Field } from '../../http/request/fields/read-fields.ts';
import type { AskedUpgrade } from '../../http/request/fields/upgrade.ts';
import type { AskedStream } from '../request/stream.ts';
import { CommandRelay } from './command-relay.ts';
import { HeldCommand, type Shows } from './held-command.ts';
import { WebSocketChannels } from './websocket-side.ts';

/** Subprotocols by which what runs in a container is carried over a WebSocket, with their versions. */
export const OVER_WEBSOCKET: ReadonlyMap<string, 4 | 5> = new Map([
  ['v5.channel.k8s.io', 5],
  ['v4.channel.k8s.io', 4],
]);

export interface CommandParts {
  readonly stream: AskedStream;
  /** Where its client shows what is printed: by that it can be told that it waits. */
  readonly shows: Shows | undefined;
  readonly turns: Turns;
  /** Subprotocols that the cluster has taken up before. */
  readonly taken: Set<string>;
}

/**
 * The handshakes of what runs in a container over a WebSocket. A client whose command waits for people has its 101 ahead, where the
 * cluster is known to take it up: whoever has one does not ask in another form any more.
 */
export class CommandHandshake implements Handshake {
  readonly messages = false;
  readonly #asked: AskedUpgrade;
  readonly #parts: CommandParts;
  readonly #promised: string | undefined;
  #websocket: WebSocketHandshake;
  #held: HeldCommand | undefined;

  /** @param asked With one or more of `OVER_WEBSOCKET`, and no other subprotocols. */
  constructor(asked: AskedUpgrade, parts: CommandParts) {
    this.#asked = asked;
    this.#parts = parts;
    this.#promised = asked.subprotocols.find((one) => parts.taken.has(one));
    this.#websocket = this.#handshake(asked);
  }

  get ahead(): Ahead | undefined {
    const promised = this.#promised;
    const { shows } = this.#parts;
    if (promised === undefined || shows === undefined) return undefined;
    return {
      fields: [
        ['connection', 'Upgrade'],
        ['upgrade', 'websocket'],
        ['sec-websocket-accept', websocketAccept(this.#asked.key)],
        ['sec-websocket-protocol', promised],
      ],
      begin: (client, on) => {
        const version = OVER_WEBSOCKET.get(promised) ?? 4;
        const side = new WebSocketChannels('client', client, version);
        this.#websocket = this.#handshake({ ...this.#asked, subprotocols: [promised] });
        this.#held = new HeldCommand(side, this.#parts.stream, shows, on);
        return this.#held;
      },
    };
  }

  get fields(): readonly Field[] {
    return this.#websocket.fields;
  }

  accepted(rawHeaders: readonly string[]): readonly Field[] | undefined {
    return this.#websocket.accepted(rawHeaders);
  }

  carry(ends: CarriedEnds, on: Carrying): Promise<CarriedEnd> {
    return this.#websocket.carry(ends, on);
  }

  #handshake(asked: AskedUpgrade): WebSocketHandshake {
    const carry = ({ client, target }: CarriedEnds, on: Carrying, subprotocol = '') => {
      const { stream, turns, taken } = this.#parts;
      taken.add(subprotocol);
      const version = OVER_WEBSOCKET.get(subprotocol) ?? 4;
      const ends = {
        client: this.#held?.side ?? new WebSocketChannels('client', client, version),
        target: new WebSocketChannels('target', target, version),
      };
      return new CommandRelay(ends, on, stream, turns).run(this.#held?.events);
    };
    return new WebSocketHandshake(asked, carry, 'channels');
  }
}
