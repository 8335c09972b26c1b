/** A token with what lies before it. Comments are tokens. */
export interface Piece {
  readonly kind: 'piece';
  /** Exactly as it stands. */
  readonly text: string;
  /** Exactly what lies between it and the token before: whitespace, or nothing. */
  readonly gap: string;
  /** In lower case, where the lexer says that it is a keyword; else empty. */
  readonly word: string;
  /** A comment that the end of a line ends. */
  readonly endsLine: boolean;
  readonly isString: boolean;
}

/** Something in parentheses. */
export interface Group {
  readonly kind: 'group';
  readonly open: Piece;
  readonly clauses: readonly Clause[];
  /** Absent where it is not closed. */
  readonly close: Piece | undefined;
  /** It holds a query, of which each clause has a line. */
  readonly query: boolean;
  /** Of all of it in one line, characters; infinite where it cannot stand in one. */
  readonly width: number;
}

export type Node = Piece | Group;
/** What stands between two commas, or between two ANDs. */
type Item = readonly Node[];
export type Clause = readonly Item[];

/** Deeper parentheses are not looked into. */
const MAX_DEPTH = 40;

const BEGIN_QUERY = new Set(['select', 'with', 'insert', 'update', 'delete', 'merge', 'values', 'table']);
const BEGIN_CLAUSE = new Set([
  ...['select', 'where', 'having', 'window', 'returning', 'limit', 'offset', 'fetch', 'values', 'set'],
  ...['union', 'intersect', 'except', 'when'],
]);
const JOINS = new Set(['left', 'right', 'full', 'inner', 'cross', 'natural', 'join', 'outer']);

/** Of the word itself, the one before and the one behind. Pure. */
function beginsClause(word: string, before: string, behind: string): boolean {
  if (word === 'from') return before !== 'distinct' && before !== 'delete';
  if (word === 'group' || word === 'order') return behind === 'by' && before !== 'within';
  if (word === 'for') return ['update', 'no', 'share', 'key'].includes(behind);
  if (word === 'on') return behind === 'conflict';
  if (JOINS.has(word)) return !JOINS.has(before) && (word === 'join' || JOINS.has(behind));
  return BEGIN_CLAUSE.has(word);
}

/**
 * What the tokens of one statement are together, as far as it matters for where its lines end. Whatever it makes of
 * them, all of them are in it, in their order.
 *
 * Pure.
 */
export class TreeMaker {
  readonly #pieces: readonly Piece[];
  #at = 0;

  constructor(pieces: readonly Piece[]) {
    this.#pieces = pieces;
  }

  statement(): readonly Clause[] {
    return this.#clauses(BEGIN_QUERY.has(this.#next()), 0);
  }

  /** The next keyword, comments aside. */
  #next(from = this.#at): string {
    for (let at = from; at < this.#pieces.length; at++) {
      const piece = this.#pieces[at]!;
      if (!isComment(piece)) return piece.word === '' ? piece.text.charAt(0) : piece.word;
    }
    return '';
  }

  #clauses(isQuery: boolean, depth: number): readonly Clause[] {
    const clauses = new ClausesMaker(isQuery, isQuery || depth > 0);
    while (this.#at < this.#pieces.length) {
      const piece = this.#pieces[this.#at]!;
      if (depth > 0 && piece.text === ')') break;
      this.#at++;
      if (piece.text === '(' && depth < MAX_DEPTH) clauses.add(this.#group(piece, depth + 1));
      else clauses.take(piece, this.#next());
    }
    return clauses.all();
  }

  #group(open: Piece, depth: number): Group {
    const query = BEGIN_QUERY.has(this.#next());
    const clauses = this.#clauses(query, depth);
    const close = this.#pieces[this.#at];
    if (close !== undefined) this.#at++;
    const nodes = [open, ...clauses.flat(2), ...(close === undefined ? [] : [close])];
    return { kind: 'group', open, clauses, close, query, width: widthOf(nodes) };
  }
}

/** Where clauses and their items begin. */
class ClausesMaker {
  readonly #clauses: Node[][][] = [[[]]];
  #isQuery: boolean;
  readonly #byWords: boolean;
  #before = '';
  #first = '';
  /** BETWEENs whose AND is still to come, and CASEs that are open. */
  #betweens = 0;
  #cases = 0;

  /** @param byWords Items end at AND and OR as well. */
  constructor(isQuery: boolean, byWords: boolean) {
    this.#isQuery = isQuery;
    this.#byWords = byWords;
  }

  add(node: Node): void {
    this.#clauses.at(-1)!.at(-1)!.push(node);
    this.#before = node.kind === 'group' ? ')' : node.word;
  }

  take(piece: Piece, behind: string): void {
    const { word, text } = piece;
    if (this.#first === '') this.#first = word;
    else if (this.#startsQuery(word)) {
      this.#isQuery = true;
      this.#clauses.push([[]]);
    } else if (this.#isQuery && this.#cases === 0 && beginsClause(word, this.#before, behind))
      this.#clauses.push([[]]);
    else if (this.#splits(word)) this.#clauses.at(-1)!.push([]);
    if (word === 'between') this.#betweens++;
    if (word === 'case') this.#cases++;
    if (word === 'end' && this.#cases > 0) this.#cases--;
    this.add(piece);
    if (text === ',' && this.#cases === 0) this.#clauses.at(-1)!.push([]);
  }

  /** What is made or explained by a query: it begins in the midst of the statement. */
  #startsQuery(word: string): boolean {
    if (this.#isQuery || !BEGIN_QUERY.has(word)) return false;
    const before = this.#before;
    if (this.#first === 'explain') return ['explain', 'analyze', 'verbose', ')'].includes(before);
    return before === 'as' || (this.#first === 'declare' && before === 'for');
  }

  #splits(word: string): boolean {
    if (!(this.#byWords || this.#isQuery) || this.#cases > 0 || (word !== 'and' && word !== 'or'))
      return false;
    if (word === 'and' && this.#betweens > 0) {
      this.#betweens--;
      return false;
    }
    return true;
  }

  all(): readonly Clause[] {
    return this.#clauses
      .map((clause) => clause.filter((item) => item.length > 0))
      .filter((clause) => clause.length > 0);
  }
}

function isComment({ text, isString }: Piece): boolean {
  return !isString && (text.startsWith('--') || text.startsWith('/*'));
}

/** Of all in one line. */
export function widthOf(nodes: readonly Node[]): number {
  let width = 0;
  for (const node of nodes) {
    if (node.kind === 'group') width += node.width + gapWidth(node.open);
    else width += node.endsLine || node.text.includes('\n') ? Infinity : node.text.length + gapWidth(node);
  }
  return width;
}

function gapWidth({ gap }: Piece): number {
  return gap === '' ? 0 : 1;
}
