/** What a mouse sends, among what is typed. */

export interface MouseReport {
  readonly what: 'click' | 'wheel-up' | 'wheel-down';
  /** From 0. */
  readonly column: number;
  readonly row: number;
}

/** Buttons and the wheel (1000), in decimal numbers (1006). */
export const MOUSE_ON = '\x1b[?1000h\x1b[?1006h';
export const MOUSE_OFF = '\x1b[?1006l\x1b[?1000l';

const PASTE = ['\x1b[200~', '\x1b[201~'] as const;
const SGR = '\x1b[<';
/** A whole one, be it a report or not. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: sequences begin with one.
const WHOLE = /^\x1b\[<([ -?]*)([@-~])/;
/** One that is not over yet. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: sequences begin with one.
const BEGUN = /^\x1b\[<[ -?]*$/;
/** One that is broken off by something else. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: sequences begin with one.
const BROKEN = /^\x1b\[<[ -?]*/;
/** As terminals send it that know no decimal numbers: three characters follow. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: sequences begin with one.
const OLD = /^\x1b\[M.{0,3}/su;
const OLD_LENGTH = 6;
const NUMBERS = /^(\d{1,5});(\d{1,5});(\d{1,5})$/;
/** Of a sequence that does not end. It stays none. */
const MAX_BEGUN = 64;
const ENDLESS = `${SGR}?`;

const WHEEL_UP = 64;
const WHEEL_DOWN = 65;
/** Shift, Alt and Ctrl, which are held beside the wheel. */
const MODIFIERS = 4 | 8 | 16;

export interface Read {
  /** What else was typed. */
  readonly typed: string;
  readonly reports: readonly MouseReport[];
}

/**
 * Takes the reports of a mouse out of what a terminal sends, however it is split. What is pasted is nobody's mouse; what looks like a
 * report and is none is dropped, so that no part of it is a key.
 */
export class MouseReader {
  /** What may be the beginning of a report, or of a paste. */
  #held = '';
  /** The last of what is being pasted. */
  #pasted: string | undefined;

  push(chunk: string): Read {
    let rest = this.#held + chunk;
    this.#held = '';
    let typed = '';
    const reports: MouseReport[] = [];
    while (rest !== '') {
      const taken = this.#pasted === undefined ? this.#take(rest, reports) : this.#paste(rest, this.#pasted);
      typed += taken.typed;
      rest = rest.slice(taken.length);
    }
    return { typed, reports };
  }

  /** Nothing has followed for a moment: an Escape is one. @returns What was typed. */
  settle(): string {
    if (this.#held.startsWith(SGR) || this.#held.startsWith('\x1b[M')) return '';
    const typed = this.#held;
    this.#held = '';
    return typed;
  }

  get isHolding(): boolean {
    return this.#held !== '';
  }

  #take(rest: string, reports: MouseReport[]): Taken {
    const at = rest.indexOf('\x1b');
    if (at !== 0) return asTyped(at === -1 ? rest : rest.slice(0, at));
    const whole = WHOLE.exec(rest);
    if (whole !== null) {
      const report = reportOf(whole[1]!, whole[2]!);
      if (report !== undefined) reports.push(report);
      return dropped(whole[0].length);
    }
    const old = OLD.exec(rest)?.[0];
    if (old !== undefined && [...old].length === OLD_LENGTH) return dropped(old.length);
    if (old !== undefined || BEGUN.test(rest) || PASTE[0].startsWith(rest)) {
      this.#held = rest.length > MAX_BEGUN ? ENDLESS : rest;
      return dropped(rest.length);
    }
    const broken = BROKEN.exec(rest);
    if (broken !== null) return dropped(broken[0].length);
    if (!rest.startsWith(PASTE[0])) return asTyped(rest[0]!);
    this.#pasted = '';
    return asTyped(PASTE[0]);
  }

  #paste(rest: string, before: string): Taken {
    const all = before + rest;
    const at = all.indexOf(PASTE[1]);
    this.#pasted = at === -1 ? all.slice(1 - PASTE[1].length) : undefined;
    return asTyped(at === -1 ? rest : rest.slice(0, at + PASTE[1].length - before.length));
  }
}

interface Taken {
  readonly typed: string;
  /** So much of the text is done with. */
  readonly length: number;
}

function asTyped(typed: string): Taken {
  return { typed, length: typed.length };
}

function dropped(length: number): Taken {
  return { typed: '', length };
}

/** The left button when it goes down, and the wheel; all else is nothing to us. */
function reportOf(numbers: string, end: string): MouseReport | undefined {
  const [button, column, row] = (NUMBERS.exec(numbers) ?? []).slice(1).map(Number);
  if (button === undefined || column === undefined || row === undefined) return undefined;
  if (end !== 'M' || column < 1 || row < 1) return undefined;
  const at = { column: column - 1, row: row - 1 };
  if (button === 0) return { what: 'click', ...at };
  const turned = button & ~MODIFIERS;
  if (turned === WHEEL_UP) return { what: 'wheel-up', ...at };
  return turned === WHEEL_DOWN ? { what: 'wheel-down', ...at } : undefined;
}
