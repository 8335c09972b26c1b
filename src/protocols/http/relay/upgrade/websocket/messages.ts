import { HoopError } from '../../../../../core/errors.ts';
import { after, type Later } from '../../../../../core/later.ts';
import { Octets } from '../../../../../masking/pieces/octets.ts';
import type { PieceMasker } from '../../../../../masking/pieces/piece-masker.ts';
import { Utf8Check } from '../../../../../masking/pieces/utf8.ts';
import type { Question } from '../../../../stream/guard.ts';
import { chosenFields, MAX_READ_BODY } from '../../../request/body/chosen-fields.ts';
import { isRefused } from '../../../request/refusals.ts';
import { MessageMasker } from '../../../shown/events/message-masker.ts';
import { SecretScrubber } from '../../../shown/secrets.ts';
import type { Carrying } from '../carried.ts';

/** What becomes of one message, piece by piece: what goes on of it. Throws a `HoopError` where it goes no further. */
export interface Passage {
  push(chunk: Uint8Array): Uint8Array | undefined;
  end(): Later<Uint8Array | undefined>;
}

/** Looks at what both sides say. A subprotocol can bring its own. */
export interface Inspector {
  /** @throws {HoopError} No message of this kind goes on. */
  fromClient(binary: boolean): Passage;
  /** @throws {HoopError} No message of this kind goes on. */
  fromTarget(binary: boolean): Passage;
  /** What the client is shown of a text of the target's beside messages. */
  beside(text: string): string;
}

/**
 * Messages as bodies are looked at: text of the target's is masked as an event's data is on the same route, and the
 * gateway's secret is written over in all of them; of the client's each is decided where rules look at what it says.
 */
export class MessageInspector implements Inspector {
  readonly #on: Carrying;

  constructor(on: Carrying) {
    this.#on = on;
  }

  fromClient(binary: boolean): Passage {
    if (this.#on.paths.length === 0) return passing(binary);
    if (binary) throw new HoopError('ERR_UNSUPPORTED', 'rules look at messages here, and this one is binary');
    return new DecidedMessage(this.#on);
  }

  fromTarget(binary: boolean): Passage {
    const { operation } = this.#on;
    const masker = this.#masker(binary);
    return {
      push: (chunk) => masker.push(chunk),
      end: () => {
        const rest = masker.end();
        operation.maskedValues += masker.maskedValues;
        return rest;
      },
    };
  }

  beside(text: string): string {
    const masker = this.#masker(false);
    const parts = [masker.push(Buffer.from(text)), masker.end()].flatMap((part) => part ?? []);
    return Buffer.concat(parts).toString();
  }

  #masker(binary: boolean): PieceMasker {
    const { masks, secrets } = this.#on.sight();
    if (masks.any && binary)
      throw new HoopError('ERR_UNSUPPORTED', 'values are masked here, and a message is binary');
    const masker = masks.any ? new MessageMasker(masks.fields, masks.detects) : passing(binary);
    return secrets.any ? new SecretScrubber(secrets, masker) : masker;
  }
}

/** As it is; a text must be UTF-8: RFC 6455 §8.1. */
function passing(binary: boolean): PieceMasker {
  const utf8 = binary ? undefined : new Utf8Check();
  return {
    maskedValues: 0,
    push: (chunk) => {
      utf8?.push(chunk);
      return chunk;
    },
    end: () => {
      utf8?.end();
      return undefined;
    },
  };
}

/** A message that goes on when it was decided, whole. */
class DecidedMessage implements Passage {
  readonly #on: Carrying;
  readonly #held = new Octets();

  constructor(on: Carrying) {
    this.#on = on;
  }

  push(chunk: Uint8Array): undefined {
    if (this.#held.length + chunk.length > MAX_READ_BODY)
      throw new HoopError(
        'ERR_TOO_LARGE',
        `rules look at messages here, and this one has more than ${MAX_READ_BODY} octets`,
      );
    this.#held.add(chunk);
  }

  end(): Later<Uint8Array> {
    const octets = this.#held.take();
    return after(this.#on.guard.ask(this.#question(octets)), (answer) => {
      if (answer.effect === 'deny') throw new HoopError('ERR_DENIED', answer.denial.message);
      answer.close('success');
      return octets;
    });
  }

  #question(octets: Buffer): Question {
    const { question, paths } = this.#on;
    const { pairs, context, text, original } = question;
    const read = chosenFields(octets, 'json', paths);
    const asked = {
      pairs,
      context: { ...context, message: true, bodyWhole: true, ...(isRefused(read) ? {} : read) },
      text: `${text} (message)`,
      original: { ...original, message: octets.toString() },
    };
    return isRefused(read) ? { ...asked, refusal: read } : asked;
  }
}
