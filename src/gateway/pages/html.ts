import { allVisible } from '../../core/visible.ts';

/** Markup of ours, with every value from outside escaped. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

type Piece = Html | string | number | undefined | readonly Html[];

/**
 * Markup with values in it: strings are escaped for text and for attributes in double quotes, and nothing in them is
 * invisible or on another line; lists of markup are joined, what is undefined is left out. Pure.
 *
 * @see https://html.spec.whatwg.org/multipage/parsing.html#escapingString
 */
export function html(parts: TemplateStringsArray, ...pieces: readonly Piece[]): Html {
  const texts = pieces.map((piece, index) => markup(piece) + parts[index + 1]!);
  return new Html(parts[0]! + texts.join(''));
}

function markup(piece: Piece): string {
  if (piece === undefined) return '';
  if (piece instanceof Html) return piece.text;
  if (typeof piece === 'object') return piece.map(({ text }) => text).join('\n');
  return escaped(String(piece));
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escaped(text: string): string {
  return allVisible(text).replace(/[&<>"']/g, (character) => ESCAPES[character]!);
}
