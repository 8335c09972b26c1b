import { type Clause, type Node, type Piece, widthOf } from './tree.ts';

/** Longest line that is not broken further, characters. */
const WIDTH = 80;
const STEP = 2;
/** Deeper lines are not further in. */
const MAX_INDENT = 40;

/** Writes tokens, and between them nothing but blanks and ends of lines. */
export class LinePrinter {
  readonly #parts: string[] = [];
  #column = 0;
  #last: Piece | undefined;

  get text(): string {
    return this.#parts.join('');
  }

  /** Each clause in a line of its own, and if that is too long each of its items. */
  clauses(clauses: readonly Clause[], indent: number, further: number): void {
    for (const [index, clause] of clauses.entries()) {
      if (index > 0) this.newLine(indent);
      const nodes = clause.flat();
      const fits = indent + widthOf(nodes) <= WIDTH;
      for (const [at, item] of clause.entries()) {
        if (at > 0 && !fits) this.newLine(indent + further);
        for (const node of item) this.#node(node, indent + (at > 0 && !fits ? further : 0));
      }
    }
  }

  #node(node: Node, indent: number): void {
    if (node.kind === 'piece') return this.#piece(node, indent);
    const { open, clauses, close, query, width } = node;
    const fits = this.#column + width <= WIDTH;
    if (fits) {
      for (const one of [open, ...clauses.flat(2)]) this.#node(one, indent);
      if (close !== undefined) this.#piece(close, indent);
      return;
    }
    this.#piece(open, indent);
    this.newLine(indent + STEP);
    this.clauses(clauses, indent + STEP, query ? STEP : 0);
    this.newLine(indent);
    if (close !== undefined) this.#piece(close, indent);
  }

  /** No two strings are parted otherwise than they were: an end of line between them makes one of them. */
  #piece(piece: Piece, indent: number): void {
    if (this.#last?.endsLine === true) this.newLine(indent);
    else if (this.#last !== undefined && piece.gap !== '')
      this.#write(this.#last.isString && piece.isString ? piece.gap : ' ');
    this.#write(piece.text);
    this.#last = piece;
  }

  newLine(indent: number): void {
    this.#write(`\n${' '.repeat(Math.min(indent, MAX_INDENT))}`);
    this.#last = undefined;
  }

  #write(text: string): void {
    this.#parts.push(text);
    const end = text.lastIndexOf('\n');
    this.#column = end === -1 ? this.#column + text.length : text.length - end - 1;
  }
}
