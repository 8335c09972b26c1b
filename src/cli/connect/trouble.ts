import { HoopError } from '../../core/errors.ts';
import { describeFailure } from '../failure.ts';
import type { Io } from '../io.ts';

/** Time for a local client to read why it was refused, ms. */
const FAREWELL_MS = 500;

/** Tells of what goes wrong in the background, each thing once in a row. */
export class Trouble {
  readonly #io: Io;
  #last = '';
  #final: HoopError | undefined;
  #listener: ((error: HoopError) => void) | undefined;

  constructor(io: Io) {
    this.#io = io;
  }

  onFinal(listener: (error: HoopError) => void): void {
    if (this.#final) listener(this.#final);
    this.#listener = listener;
  }

  tell(error: HoopError, final: boolean): void {
    if (!final) return this.#io.note(`the credential could not be renewed: ${error.message}; trying again`);
    this.#final = error;
    if (this.#listener) this.#listener(error);
    else
      this.#io.note(
        `the credential ended: ${error.message}${error.hint === undefined ? '' : `; ${error.hint}`}`,
      );
  }

  /** @param resource Where there are several. */
  refused(error: HoopError, resource: string | undefined): void {
    const { json, noteWidth: width, charset } = this.#io;
    const { text } = describeFailure(resource === undefined ? error : ofResource(error, resource), {
      json,
      width,
      charset,
    });
    if (text !== this.#last) this.#io.streams.stderr.write(text);
    this.#last = text;
    // Revoked is for good: no later connection could succeed, and whoever waits for the tunnel must learn it now, but
    // not before the client that asked has read its refusal.
    if (error.code === 'ERR_REVOKED') setTimeout(() => this.tell(error, true), FAREWELL_MS);
  }
}

function ofResource(error: HoopError, resource: string): HoopError {
  const { code, message, hint, detail } = error;
  return new HoopError(code, `${resource}: ${message}`, {
    cause: error,
    ...(hint === undefined ? {} : { hint }),
    ...(detail === undefined ? {} : { detail }),
  });
}
