import { endsInLabel } from '../../../../masking/detectors/labels.ts';

/** Octets of a name that are looked at as the label of what follows: as far as detectors look. */
const LABEL_BYTES = 40;
const BETWEEN = Buffer.from('": "');
/** Names that are remembered, octets and in all, and of those as many of one length. */
const [MAX_NAME, MAX_KNOWN, MAX_ALIKE] = [64, 256, 8];

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

/** Names in which nothing is found, as they stand between their quotes: documents repeat a few. */
export class KnownLabels {
  readonly #byLength: (readonly Known[])[] = [];
  #count = 0;

  of(bytes: Uint8Array, start: number, end: number): Label | undefined {
    if (end - start >= this.#byLength.length) return undefined;
    const alike = this.#byLength[end - start]!;
    for (let i = 0; i < alike.length; i++) if (isAt(alike[i]!.name, bytes, start)) return alike[i]!.label;
    return undefined;
  }

  /** Remembers it, where there is room. */
  add(bytes: Uint8Array, start: number, end: number, label: Label): void {
    const length = end - start;
    if (length > MAX_NAME || this.#count === MAX_KNOWN) return;
    while (this.#byLength.length <= length) this.#byLength.push(NONE);
    const alike = this.#byLength[length]!;
    if (alike.length === MAX_ALIKE) return;
    this.#byLength[length] = [...alike, { name: Buffer.from(bytes.subarray(start, end)), label }];
    this.#count++;
  }
}

interface Known {
  readonly name: Uint8Array;
  readonly label: Label;
}

const NONE: readonly Known[] = [];

/** Whether these octets stand at `start`; as many are there. */
function isAt(octets: Uint8Array, bytes: Uint8Array, start: number): boolean {
  for (let i = 0; i < octets.length; i++) if (octets[i] !== bytes[start + i]) return false;
  return true;
}
