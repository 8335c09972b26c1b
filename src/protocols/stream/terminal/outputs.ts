import type { DetectedValues } from '../detected-values.ts';
import type { Guard } from '../guard.ts';
import { ShownOutput } from './output.ts';

/** Makes what shows the output of one client's programs: each piece as policy is when it is shown. */
export class Outputs {
  readonly #guard: Pick<Guard, 'policyVersion'>;
  readonly #detected: DetectedValues;
  #policyVersion = '';

  constructor(guard: Pick<Guard, 'policyVersion'>, detected: DetectedValues) {
    this.#guard = guard;
    this.#detected = detected;
  }

  /** One direction of one program. */
  shown(): ShownOutput {
    return new ShownOutput(this.#detected, () => {
      const version = this.#guard.policyVersion();
      if (version !== this.#policyVersion) this.#detected.refresh();
      this.#policyVersion = version;
    });
  }
}
