import { endsInLabel } from '../detectors/labels.ts';

/** Octets of a name that are looked at as the label of what follows: as far as detectors look. */
const LABEL_BYTES = 40;
const BETWEEN = Buffer.from('": "');

/** The name of a member as the label of its value. */
export class Label {
  /** The end of the name, and what stands between it and its value. */
  readonly text: Buffer;
  #tells: boolean | undefined;

  /** @param name What it says. */
  constructor(name: Uint8Array) {
    this.text = Buffer.concat([name.subarray(Math.max(0, name.length - LABEL_BYTES)), BETWEEN]);
  }

  /** Whether it tells what its value is. */
  get tells(): boolean {
    this.#tells ??= endsInLabel(this.text.toString('latin1'));
    return this.#tells;
  }
}
