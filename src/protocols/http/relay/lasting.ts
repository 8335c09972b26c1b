import { HoopError } from '../../../core/errors.ts';
import type { Guard, Question } from '../../stream/guard.ts';
import type { OpenOperation } from '../../stream/operations.ts';
import type { CanonicalRequest } from '../request/canonical.ts';
import { mediaType } from '../shown/media-type.ts';
import type { TargetAnswer } from '../target/http-target.ts';
import type { ConnectionState } from './state.ts';

/** One thing that was allowed. */
export type Allowed = readonly [
  Pick<Question, 'pairs' | 'context'>,
  Pick<OpenOperation, 'policyVersion' | 'approvals'>,
];

/** Whether policy, as it is now, allows what it did, with what people have said to that. */
export function isAllowedYet(
  guard: Pick<Guard, 'allows'>,
  [{ pairs, context }, { approvals }]: Allowed,
): boolean {
  return guard.allows(pairs, approvals === undefined ? context : { ...context, approvals });
}

/** Whether an answer may go on for as long as its target likes. */
export function isLasting({ rawHeaders }: TargetAnswer): boolean {
  const at = rawHeaders.findIndex((name, index) => index % 2 === 0 && name.toLowerCase() === 'content-type');
  return mediaType(rawHeaders[at + 1] ?? '')?.essence === 'text/event-stream';
}

/** A stream of events goes on while policy permits it, and shows of it what it showed when it began. */
export class LastingAnswer {
  readonly #state: ConnectionState;
  readonly #request: CanonicalRequest;
  readonly #allowed: readonly Allowed[];
  readonly #masked: string;
  #policyVersion: string;

  /** @param allowed What was, at least one. */
  constructor(state: ConnectionState, request: CanonicalRequest, allowed: readonly Allowed[]) {
    this.#state = state;
    this.#request = request;
    this.#allowed = allowed;
    this.#masked = this.#nowMasked();
    this.#policyVersion = allowed[0]![1].policyVersion;
  }

  /** Before more of it is shown. @throws {HoopError} `ERR_DENIED` policy has changed, and has it otherwise now. */
  demand(): void {
    const { guard } = this.#state.context;
    const version = guard.policyVersion();
    if (version === this.#policyVersion) return;
    this.#policyVersion = version;
    if (!this.#allowed.every((one) => isAllowedYet(guard, one)))
      throw new HoopError('ERR_DENIED', 'policy does not permit it any more');
    if (this.#nowMasked() !== this.#masked)
      throw new HoopError('ERR_DENIED', 'policy has something else of it masked now');
  }

  #nowMasked(): string {
    return JSON.stringify(this.#state.masked(this.#request));
  }
}
