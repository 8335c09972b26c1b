import type { Octets, ReplayFrame } from '../../api/contract.ts';
import { OctetDecoder, type Printed, visibleLines } from './printed.ts';

const ESC = '\\u001b';
const BEL = '\\u0007';
/** Colours, movements, titles and the like (ECMA-48): CSI, OSC, DCS and its siblings, and those of a letter. */
const SEQUENCE = [
  `${ESC}\\[[0-?]*[ -/]*[@-~]`,
  `${ESC}\\][^${BEL}${ESC}]*(?:${BEL}|${ESC}\\\\)`,
  `${ESC}[PX^_][^${ESC}]*${ESC}\\\\`,
  `${ESC}[ -/]*[0-OQ-WYZ\\\\\`-~]`,
].join('|');
const DROPPED = new RegExp(`${SEQUENCE}|${BEL}`, 'g');
/** The beginning of one, or of CR LF, at the end of what came so far. */
const BEGUN = new RegExp(`(?:${ESC}(?:\\[[0-?]*[ -/]*|[\\]PX^_][^${BEL}${ESC}]*${ESC}?|[ -/]*)|\\r+)$`);
/** A sequence that does not end is shown as text: nothing hides what comes behind it. */
const MAX_HELD = 1024;

type TerminalFrame = Extract<ReplayFrame, { kind: 'screen' | 'resize' }>;

/**
 * What a terminal or a pipe showed, as text that is safe on another terminal: no sequence of a stranger's is passed on,
 * so none moves the cursor, hides text or asks the terminal for anything. A line that was written over is shown again
 * for each time. No I/O.
 *
 * What was typed is not shown where there was a terminal, which showed it itself.
 */
export class TerminalPrinter {
  readonly #channels = { input: new SafeText(), output: new SafeText(), stderr: new SafeText() };
  #hasTerminal = false;

  push(frame: TerminalFrame): Printed {
    if (frame.kind === 'resize') {
      this.#hasTerminal = true;
      return { lines: [`-- terminal of ${frame.columns} × ${frame.rows}`] };
    }
    if (frame.channel === 'input' && this.#hasTerminal) return {};
    return { text: this.#channels[frame.channel].push(frame) };
  }

  /** Sequences that were begun and did not end. */
  rest(): string[] {
    const texts = Object.values(this.#channels).map((channel) => channel.rest());
    return texts.filter((text) => text !== '');
  }
}

class SafeText {
  readonly #decoder = new OctetDecoder();
  #held = '';

  push(octets: Octets): string {
    const text = (this.#held + this.#decoder.push(octets)).replace(DROPPED, '');
    const begun = text.search(BEGUN);
    const whole = begun === -1 || text.length - begun > MAX_HELD ? text.length : begun;
    this.#held = text.slice(whole);
    return shown(text.slice(0, whole));
  }

  rest(): string {
    const held = this.#held;
    this.#held = '';
    return shown(held).trim();
  }
}

function shown(text: string): string {
  return visibleLines(text.replace(/\r+\n|\r+/g, '\n'));
}
