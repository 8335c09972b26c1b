/**
 * What a stranger's program drew, for somebody else's terminal: colours, movements and what erases go on; whatever would ask
 * that terminal for something, or change more of it than its screen, does not.
 */

import { type Charset, placed } from '../../core/terminal/charset.ts';

const ESC = '\u001b';
const [BEL, CAN, SUB] = ['\u0007', '\u0018', '\u001a'];
/** Backspace, tab, line ends, and the two that choose a set of characters. */
const MOVES = '\b\t\n\r\u000e\u000f';
/** Turn letters round, or end lines where no terminal does. */
const TURNING = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\u2028\u2029\p{Cn}\p{Cs}]/u;
const UNSEEN = /[\p{Cc}\p{Cf}]/u;
/** Joins emoji. */
const JOINER = '\u200d';

/** Behind `ESC [`: moves, erases, inserts, deletes, scrolls. */
const CSI_FINALS = '@ABCDEFGHIJKLMPSTXZ`adef';
/** Origin, wrapping, the cursor, and the other screen. */
const MODES = new Set(['6', '7', '25', '47', '1047', '1048', '1049']);
const OTHER_SCREEN = new Set(['47', '1047', '1049']);
/** Longer ones are no sequences: a terminal takes 16 numbers. */
const MAX_PARAMETERS = 64;
/** Images are long; behind so many characters it is text again. */
const MAX_STRING = 1024 * 1024;

type State = 'text' | 'escape' | 'charset' | 'ignored' | 'csi' | 'string' | 'string-end';

/**
 * One terminal's output, made safe as it comes; any split of the same text gives the same. No I/O, and holds some octets only.
 *
 * @see ECMA-48; https://invisible-island.net/xterm/ctlseqs/ctlseqs.html
 */
export class SafeScreen {
  readonly #charset: Charset;
  #state: State = 'text';
  #held = '';
  #length = 0;
  /** Titles, links, the clipboard: they end with their line. Of device control only a terminator ends. */
  #ofOneLine = false;
  #otherScreen = false;
  /** Rows are counted from the upper margin (DECOM). */
  #withinMargins = false;
  #touched = false;

  /** @param charset Of the terminal; a file is UTF-8. */
  constructor(charset: Charset = 'utf-8') {
    this.#charset = charset;
  }

  /** @param text Decoded. @returns What may be written. */
  push(text: string): string {
    let out = '';
    for (const character of text) out += this.#next(character);
    if (out !== '') this.#touched = true;
    return out;
  }

  /** Gives the terminal back as it was, where anything was drawn. */
  leave(): string {
    if (!this.#touched) return '';
    this.#touched = false;
    this.#state = 'text';
    const screen = this.#otherScreen ? `${ESC}[?1049l\r\n` : '';
    // Back in the whole screen the cursor is at its top, where what is there would be written over.
    const origin = this.#withinMargins ? `${ESC}[?6l${ESC}[9999;1H\r\n` : '';
    this.#otherScreen = false;
    this.#withinMargins = false;
    // The margins go without moving the cursor, which stands where the next line is to be.
    return `${ESC}7${ESC}[r${ESC}8${origin}${ESC}[m${ESC}[4l${ESC}[?7h${ESC}[?25h${ESC}(B\u000f${screen}`;
  }

  #next(character: string): string {
    switch (this.#state) {
      case 'text':
        return this.#text(character);
      case 'escape':
        return this.#escape(character);
      case 'charset':
        this.#state = 'text';
        return '0AB'.includes(character) ? `${this.#held}${character}` : '';
      case 'ignored':
        if (!isBetween(character, ' ', '/')) this.#state = 'text';
        return '';
      case 'csi':
        return this.#parameter(character);
      case 'string':
        return this.#string(character);
      case 'string-end':
        if (character === '\\') {
          this.#state = 'text';
          return '';
        }
        return this.#escape(character);
    }
  }

  #text(character: string): string {
    if (character === ESC) this.#state = 'escape';
    if (isBetween(character, ' ', '~') || MOVES.includes(character) || character === JOINER) return character;
    if (character === '\v' || character === '\f') return '\n';
    if (TURNING.test(character)) return '\ufffd';
    return UNSEEN.test(character) ? '' : placed(character, this.#charset);
  }

  #escape(character: string): string {
    this.#state = 'text';
    this.#held = '';
    if (character === '[') this.#state = 'csi';
    else if (']PX^_'.includes(character)) {
      this.#state = 'string';
      this.#length = 0;
      this.#ofOneLine = character === ']';
    } else if (character === '(' || character === ')') {
      this.#state = 'charset';
      this.#held = `${ESC}${character}`;
    } else if (isBetween(character, ' ', '/')) this.#state = 'ignored';
    else if (character === ESC) this.#state = 'escape';
    // The cursor is kept and found again; up, down, to the next line.
    else if ('78DEM'.includes(character)) return `${ESC}${character}`;
    // A reset would be one of the whole terminal.
    else if (character === 'c') return `${ESC}[m${ESC}[r${ESC}[H${ESC}[2J`;
    else if (!isBetween(character, '0', '~')) return this.#text(character);
    return '';
  }

  #parameter(character: string): string {
    if (isBetween(character, ' ', '?') && this.#held.length < MAX_PARAMETERS) {
      this.#held += character;
      return '';
    }
    this.#state = 'text';
    if (isBetween(character, '@', '~')) return this.#sequence(this.#held, character);
    return this.#text(character);
  }

  #string(character: string): string {
    if (character === ESC) this.#state = 'string-end';
    else if ([BEL, CAN, SUB, '\u009c'].includes(character) || ++this.#length > MAX_STRING)
      this.#state = 'text';
    // Else a title without an end would hide what comes behind it.
    else if (this.#ofOneLine && /[\r\n]/.test(character)) {
      this.#state = 'text';
      return character;
    }
    return '';
  }

  #sequence(parameters: string, final: string): string {
    if (/^\?[\d;]*$/.test(parameters) && /[hl]/.test(final)) return this.#modes(parameters.slice(1), final);
    if (/^\?\d?$/.test(parameters) && /[JK]/.test(final)) return `${ESC}[${parameters}${final}`;
    if (!/^[\d;:]*$/.test(parameters) || /\d{5}/.test(parameters)) return '';
    if (final === 'm') return style(parameters);
    const plain = `${ESC}[${parameters}${final}`;
    // What was scrolled away is the viewer's own; several numbers before T are for the mouse.
    if ((final === 'J' && parameters === '3') || (final === 'T' && parameters.includes(';'))) return '';
    if (/[hl]/.test(final)) return parameters === '4' ? plain : '';
    if (/[su]/.test(final)) return parameters === '' ? plain : '';
    if (final === 'b') return parameters.length <= 3 ? plain : '';
    return CSI_FINALS.includes(final) || final === 'r' ? plain : '';
  }

  #modes(parameters: string, final: string): string {
    const kept = parameters.split(';').filter((mode) => MODES.has(mode));
    if (kept.some((mode) => OTHER_SCREEN.has(mode))) this.#otherScreen = final === 'h';
    if (kept.includes('6')) this.#withinMargins = final === 'h';
    return kept.length === 0 ? '' : `${ESC}[?${kept.join(';')}${final}`;
  }
}

/** Colours and the like, but nothing that is written and not seen. */
function style(parameters: string): string {
  const kept: string[] = [];
  const parts = parameters.split(';');
  for (let at = 0; at < parts.length; at++) {
    const part = parts[at]!;
    // A colour that is named by more numbers.
    const more = /^[345]8$/.test(part) ? (parts[at + 1] === '5' ? 2 : parts[at + 1] === '2' ? 4 : 0) : 0;
    if (Number(part) !== 8 || part === '') kept.push(...parts.slice(at, at + 1 + more));
    at += more;
  }
  return kept.length === 0 ? '' : `${ESC}[${kept.join(';')}m`;
}

function isBetween(character: string, first: string, last: string): boolean {
  return character >= first && character <= last && character.length === 1;
}
