import { HoopError } from '../../../../core/errors.ts';
import { valuesOf } from '../../../../wire/http/http1/head.ts';
import type { Stands } from '../../../stream/stands.ts';
import type { CanonicalRequest } from '../../request/canonical.ts';
import type { TargetAnswer } from '../../target/http-target.ts';
import type { ConnectionState } from '../state.ts';

/**
 * An answer that may go on for as long as its target likes: events, what is watched, a log that is followed.
 *
 * @param allowed All that was.
 * @returns Undefined: it has a length.
 */
export function lastingAnswer(
  state: ConnectionState,
  request: CanonicalRequest,
  { rawHeaders }: TargetAnswer,
  allowed: () => readonly Stands[],
): LastingAnswer | undefined {
  if (valuesOf(rawHeaders, 'content-length').length > 0) return undefined;
  return new LastingAnswer(state, request, allowed());
}

/** An answer that lasts goes on while policy permits it, and shows of it what it showed when it began. */
class LastingAnswer {
  readonly #state: ConnectionState;
  readonly #request: CanonicalRequest;
  readonly #allowed: readonly Stands[];
  readonly #masked: string;
  #policyVersion: string;

  /** @param allowed All that was. */
  constructor(state: ConnectionState, request: CanonicalRequest, allowed: readonly Stands[]) {
    this.#state = state;
    this.#request = request;
    this.#allowed = allowed;
    this.#masked = this.#maskedNow();
    this.#policyVersion = state.context.guard.policyVersion();
  }

  /** What is masked of it, as one word. */
  #maskedNow(): string {
    return JSON.stringify(this.#state.masked(this.#request).map(({ name }) => name));
  }

  /** Before more of it is shown. @throws {HoopError} `ERR_DENIED` policy has changed, and has it otherwise now. */
  demand(): void {
    const fallen = this.#allowed.find((one) => !one.now);
    if (fallen !== undefined) throw fallen.ending;
    const version = this.#state.context.guard.policyVersion();
    if (version === this.#policyVersion) return;
    this.#policyVersion = version;
    if (this.#maskedNow() !== this.#masked)
      throw new HoopError('ERR_DENIED', 'policy has something else of it masked now');
  }
}
