import type { MessagePiece } from '../../../../../wire/http/websocket/frames.ts';
import type { Passage } from './messages.ts';
import type { RecordedMessage } from './recorded-messages.ts';
import type { Side } from './side.ts';

/** What is done with the messages of one side. */
interface Handling {
  readonly open: (binary: boolean) => Passage;
  /** Keeps a message as it comes. */
  readonly said: (binary: boolean) => RecordedMessage;
  /** Told what the other side is about to be given. */
  readonly given: (bytes: Uint8Array) => void;
}

/** Messages of one side, on their way to the other: their ends stay, how they are cut into frames does not. */
export class Direction {
  readonly from: Side;
  readonly to: Side;
  readonly #handling: Handling;
  #passage: Passage | undefined;
  #said: RecordedMessage | undefined;
  /** Of the next frame. */
  #kind: 'text' | 'binary' | 'continuation' = 'continuation';

  constructor(from: Side, to: Side, handling: Handling) {
    this.from = from;
    this.to = to;
    this.#handling = handling;
  }

  /** @throws {HoopError} The message goes no further. Fails in the same way. */
  async piece({ binary, first, last, bytes }: MessagePiece): Promise<void> {
    if (first) {
      this.#passage = this.#handling.open(binary);
      this.#said = this.#handling.said(binary);
      this.#kind = binary ? 'binary' : 'text';
    }
    const passage = this.#passage!;
    this.#said!.push(bytes);
    if (last) this.#said!.end();
    this.#give(passage.push(bytes), false);
    if (last) this.#give(await passage.end(), true);
  }

  #give(bytes: Uint8Array | undefined, last: boolean): void {
    if (bytes === undefined && !last) return;
    const octets = bytes ?? NOTHING;
    this.#handling.given(octets);
    this.to.send(this.#kind, last, octets);
    this.#kind = 'continuation';
  }
}

const NOTHING = new Uint8Array();
