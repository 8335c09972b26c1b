import { characterAt, indexOfCharacter } from './own-names.ts';

/** A query of the client's as it is sent in its place: with masks where masked columns were read. */
export interface WrittenAnew {
  readonly text: string;
  /** The client's own text. */
  readonly own: string;
  /** What is other in it, in order. */
  readonly replaced: readonly Replaced[];
  /** Whose masks these are, `schema.table.column`, each once. */
  readonly columns: readonly string[];
}

/** Where something stands in the new text, from its first unit to behind its last, and what it stands for in the own one. */
export interface Replaced {
  readonly start: number;
  readonly end: number;
  readonly ownStart: number;
  readonly ownEnd: number;
}

/**
 * The place in the client's own text of which the server speaks; what is not in that is where it stands for something.
 *
 * @param position As the server counts: characters, from 1, in the new text.
 * @returns Counted likewise. Pure.
 */
export function ownPosition({ text, own, replaced }: WrittenAnew, position: number): number {
  const at = indexOfCharacter(text, position - 1);
  let shift = 0;
  for (const { start, end, ownStart, ownEnd } of replaced) {
    if (at < start) break;
    if (at < end) return characterAt(own, ownStart) + 1;
    shift = ownEnd - end;
  }
  return characterAt(own, at + shift) + 1;
}
