import type { ExchangeHead, ExchangeSide, Octets, ReplayFrame } from '../../api/replay.ts';
import { visible } from '../render/text.ts';
import { OctetDecoder, octetsOf, type Printed, visibleLines } from './printed.ts';

/** As `curl -v` marks them. */
const MARKS = { request: '>', response: '<' } as const;
const SWITCHED = '101';
/** What text does not hold. */
const BINARY = /[\0\ufffd]/;

/** Exchanges of one stream that are told apart; of more at once the one that was silent for longest is forgotten. */
const EXCHANGES = 256;

/**
 * One stream's exchanges: heads by line, then bodies as far as they are text. Where several go on at once, what belongs to
 * another than what came before is under a line that names it. No I/O.
 */
export class ExchangePrinter {
  readonly #open = new Map<string, Exchange>();
  #current = '';

  /** A request begins. @param text As people read it. */
  begins(operation: string, text: string): void {
    this.#current = operation;
    this.#keep(operation, new Exchange(text));
  }

  push(frame: Extract<ReplayFrame, { kind: 'exchange' }>): Printed {
    const { operation = '' } = frame;
    const exchange = this.#open.get(operation) ?? new Exchange('');
    this.#keep(operation, exchange);
    const other = this.#current !== '' && operation !== this.#current;
    this.#current = operation;
    const printed = exchange.push(frame);
    if (!other) return printed;
    return {
      ...printed,
      lines: [`-- ${visible(`${operation} ${exchange.text}`)}`.trimEnd(), ...(printed.lines ?? [])],
    };
  }

  /** What is said over a connection that was upgraded, a line for each message; undefined: it is said over none. */
  said(frame: Extract<ReplayFrame, { kind: 'screen' }>): Printed | undefined {
    const { operation = '', channel } = frame;
    const exchange = this.#open.get(operation);
    if (exchange?.upgraded !== true) return undefined;
    const octets = octetsOf(frame);
    const said = octets.toString();
    const text = BINARY.test(said) ? `-- ${octets.length} octets` : visible(said);
    return { lines: [`${channel === 'input' ? MARKS.request : MARKS.response} ${text}`] };
  }

  #keep(operation: string, exchange: Exchange): void {
    this.#open.delete(operation);
    this.#open.set(operation, exchange);
    const [silent] = this.#open.keys();
    if (this.#open.size > EXCHANGES && silent !== undefined) this.#open.delete(silent);
  }
}

class Exchange {
  readonly text: string;
  /** What follows its heads is no body. */
  upgraded = false;
  readonly #bodies = { request: new Body(), response: new Body() };

  constructor(text: string) {
    this.text = text;
  }

  push(frame: Extract<ReplayFrame, { kind: 'exchange' }>): Printed {
    if ('body' in frame) return this.#bodies[frame.side].push(frame.body);
    this.#bodies[frame.side] = new Body();
    this.upgraded ||= frame.side === 'response' && frame.head.start === SWITCHED;
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
