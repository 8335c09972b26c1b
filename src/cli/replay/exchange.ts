import type { ExchangeHead, ExchangeSide, Octets, ReplayFrame } from '../../api/contract.ts';
import { visible } from '../render/text.ts';
import { OctetDecoder, octetsOf, type Printed, visibleLines } from './printed.ts';

/** As `curl -v` marks them. */
const MARKS = { request: '>', response: '<' } as const;
/** What text does not hold. */
const BINARY = /[\0\ufffd]/;

/** One stream's exchanges: heads by line, then bodies as far as they are text. No I/O, holds nothing but a character. */
export class ExchangePrinter {
  readonly #bodies = { request: new Body(), response: new Body() };

  push(frame: Extract<ReplayFrame, { kind: 'exchange' }>): Printed {
    if ('body' in frame) return this.#bodies[frame.side].push(frame.body);
    this.#bodies[frame.side] = new Body();
    return { lines: headLines(frame.side, frame.head) };
  }
}

function headLines(side: ExchangeSide, { start, fields }: ExchangeHead): string[] {
  const lines = [start, ...fields.map(([name, value]) => `${name}: ${value}`), ''];
  return lines.map((line) => `${MARKS[side]} ${visible(line)}`.trimEnd());
}

class Body {
  readonly #decoder = new OctetDecoder();
  #binary = false;

  /** A body that turns out to be no text is told by its size from there on. */
  push(octets: Octets): Printed {
    const text = this.#binary ? '' : this.#decoder.push(octets);
    this.#binary ||= BINARY.test(text);
    return this.#binary
      ? { lines: [`-- ${octetsOf(octets).length} octets`] }
      : { text: visibleLines(text.replaceAll('\r\n', '\n')) };
  }
}
