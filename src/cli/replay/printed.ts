import type { Octets } from '../../api/replay.ts';
import { visible } from '../render/text.ts';

/** Lines without LF, then text that goes on where the text before it ended. All of it safe for a terminal. */
export interface Printed {
  readonly lines?: readonly string[];
  readonly text?: string;
}

/** Puts the characters together that a piece of octets may end within. */
export class OctetDecoder {
  readonly #decoder = new TextDecoder();

  /** @returns Text, with U+FFFD for what is no UTF-8. */
  push(octets: Octets): string {
    return this.#decoder.decode(octetsOf(octets), { stream: true });
  }
}

export function octetsOf(octets: Octets): Buffer {
  return 'text' in octets ? Buffer.from(octets.text) : Buffer.from(octets.base64, 'base64');
}

/** Text of several lines, made safe for a terminal: LF and TAB stay. */
export function visibleLines(text: string): string {
  return text.replace(/[^\n\t]+/g, visible);
}
