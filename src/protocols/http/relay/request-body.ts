import { Readable, Transform } from 'node:stream';
import { HoopError } from '../../../core/errors.ts';
import { HTTP_LIMITS } from '../limits.ts';
import type { CanonicalRequest } from '../request/canonical.ts';
import type { Incoming } from './incoming.ts';
import type { Sent } from './meaning.ts';

/** A request's body: read whole before the decision, where that looks at it, or handed on as it comes. */
export class RequestBody {
  readonly #incoming: Incoming;
  #whole: Promise<Buffer> | undefined;
  #told = false;

  constructor(incoming: Incoming) {
    this.#incoming = incoming;
  }

  /**
   * Reads all of it, once. The client is told to send it, if it waits for that.
   *
   * @throws {HoopError} `ERR_TOO_LARGE` it is longer; `ERR_SESSION_ENDED` the client left; `ERR_LIMIT` nothing comes.
   */
  whole(maxBytes: number = HTTP_LIMITS.approvableBytes): Promise<Buffer> {
    this.#whole ??= this.#read(maxBytes);
    return this.#whole;
  }

  /** What was read whole is this from here on. @returns The request that it is the body of. */
  become({ request, body }: Sent): CanonicalRequest {
    this.#whole = Promise.resolve(body);
    return request;
  }

  /**
   * For the target: only after the decision.
   *
   * @param seen Called with each piece as it goes.
   */
  async forTarget(seen: (chunk: Uint8Array) => void): Promise<Readable> {
    if (this.#whole !== undefined) {
      const whole = await this.#whole;
      seen(whole);
      return Readable.from(whole.length === 0 ? [] : [whole], { objectMode: false });
    }
    this.#goOn();
    const watched = new Watched(seen);
    const { body } = this.#incoming;
    const broken = () => watched.destroy(new HoopError('ERR_SESSION_ENDED', 'the client left'));
    // It may be left unread without an error: where it was answered before it had come.
    body.once('error', broken).once('close', () => body.readableEnded || broken());
    watched.once('close', () => body.unpipe(watched));
    return body.pipe(watched);
  }

  /**
   * Reads away what is left of it, for a while.
   *
   * @returns When it has ended, or so much has come, or the time is over.
   */
  drained(): Promise<void> {
    const { body, bodyEnded, expectsContinue } = this.#incoming;
    // Who waits to be told does not send it.
    if (bodyEnded() || body.destroyed || (expectsContinue && !this.#told)) {
      body.resume();
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      let left: number = HTTP_LIMITS.drainedBytes;
      const timer = setTimeout(resolve, LINGER_MS);
      const over = () => {
        clearTimeout(timer);
        resolve();
      };
      body.on('data', (chunk: Buffer) => {
        left -= chunk.length;
        if (left < 0) over();
      });
      body.once('end', over).once('error', over).once('close', over);
    });
  }

  #goOn(): void {
    if (this.#told || !this.#incoming.expectsContinue) return;
    this.#told = true;
    this.#incoming.reply.goOn();
  }

  #read(maxBytes: number): Promise<Buffer> {
    this.#goOn();
    const { body } = this.#incoming;
    const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
    const chunks: Buffer[] = [];
    let length = 0;
    const timer = setTimeout(() => reject(silent()), HTTP_LIMITS.silentBodyMs);
    body.on('data', (chunk: Buffer) => {
      timer.refresh();
      length += chunk.length;
      if (length <= maxBytes) chunks.push(chunk);
      else reject(tooLarge(maxBytes));
    });
    const left = () => reject(new HoopError('ERR_SESSION_ENDED', 'the client left'));
    body
      .once('end', () => resolve(Buffer.concat(chunks)))
      .once('error', left)
      .once('close', left);
    return promise.finally(() => clearTimeout(timer));
  }
}

/** How long a client may go on sending what it was refused, before its connection is closed. */
const LINGER_MS = 2_000;

function silent(): HoopError {
  return new HoopError('ERR_LIMIT', 'the body did not come in time');
}

function tooLarge(maxBytes: number): HoopError {
  return new HoopError(
    'ERR_TOO_LARGE',
    `a body of more than ${maxBytes} octets cannot be held for an approval`,
    {
      hint: 'divide it, or ask for a rule that permits it without an approval',
    },
  );
}

/** Lets a body through, and breaks it off where nothing comes for too long. */
class Watched extends Transform {
  readonly #seen: (chunk: Uint8Array) => void;
  readonly #timer: NodeJS.Timeout;

  constructor(seen: (chunk: Uint8Array) => void) {
    super();
    this.#seen = seen;
    this.#timer = setTimeout(() => this.destroy(silent()), HTTP_LIMITS.silentBodyMs);
    // The client may leave before anybody reads it: while the target is dialled.
    this.on('error', () => undefined).once('close', () => clearTimeout(this.#timer));
  }

  override _transform(chunk: Buffer, _encoding: unknown, done: (error: null, chunk: Buffer) => void): void {
    this.#timer.refresh();
    this.#seen(chunk);
    done(null, chunk);
  }

  override _flush(done: () => void): void {
    clearTimeout(this.#timer);
    done();
  }
}
