import { LinePrinter } from './printer.ts';
import { scannable } from './scannable.ts';
import { type Piece, TreeMaker } from './tree.ts';

/** As libpg-query's `scan` gives it; places in octets of UTF-8. */
interface Token {
  readonly start: number;
  readonly end: number;
  readonly tokenType: number;
  readonly keywordKind: number;
}
type Scan = (sql: string) => { readonly tokens: readonly Token[] };

/** Token numbers of PostgreSQL's lexer: '…', E'…', $tag$…$tag$, U&'…', B'…', X'…'; `-- …`. */
const STRINGS: ReadonlySet<number> = new Set([261, 262, 263, 264]);
const LINE_COMMENT = 275;
const SPACE = /^[ \t\n\r\f\v]*$/;

/**
 * Breaks a SQL text into lines for people to read. Nothing but blanks and ends of lines between tokens is changed, and
 * that is proven: what is returned has, read by PostgreSQL's own lexer, the same tokens, octet by octet, comments too.
 *
 * Pure but for `scan`.
 *
 * @param text Any text; who calls bounds its length.
 * @param scan PostgreSQL's lexer.
 * @returns undefined where that cannot be done, or not be proven. Lines are parted by LF.
 * @throws Whatever `scan` throws for what is not SQL.
 */
export function inLines(text: string, scan: Scan): string | undefined {
  const pieces = piecesOf(text, scan);
  if (pieces === undefined) return undefined;
  const printer = new LinePrinter();
  for (const [index, statement] of statementsOf(pieces).entries()) {
    if (index > 0) printer.newLine(0);
    printer.clauses(new TreeMaker(statement).statement(), 0, 2);
  }
  const shown = piecesOf(printer.text, scan);
  return shown !== undefined && sameTokens(pieces, shown) ? printer.text : undefined;
}

type Scanned = Piece & { readonly tokenType: number };

function piecesOf(text: string, scan: Scan): readonly Scanned[] | undefined {
  const octets = Buffer.from(text);
  const pieces: Scanned[] = [];
  let from = 0;
  for (const { start, end, tokenType, keywordKind } of scan(scannable(text)).tokens) {
    const [gap, token] = [octets.toString('utf8', from, start), octets.toString('utf8', start, end)];
    if (start < from || !SPACE.test(gap)) return undefined;
    pieces.push({
      kind: 'piece',
      text: token,
      gap,
      word: keywordKind === 0 ? '' : token.toLowerCase(),
      endsLine: tokenType === LINE_COMMENT,
      isString: STRINGS.has(tokenType),
      tokenType,
    });
    from = end;
  }
  return SPACE.test(octets.toString('utf8', from)) ? pieces : undefined;
}

/** Each with the semicolon that ends it. */
function statementsOf(pieces: readonly Piece[]): readonly (readonly Piece[])[] {
  const statements: Piece[][] = [[]];
  for (const piece of pieces) {
    statements.at(-1)!.push(piece);
    if (piece.text === ';') statements.push([]);
  }
  return statements.filter((statement) => statement.length > 0);
}

function sameTokens(before: readonly Scanned[], after: readonly Scanned[]): boolean {
  return (
    before.length === after.length &&
    before.every(({ tokenType, text }, at) => tokenType === after[at]!.tokenType && text === after[at]!.text)
  );
}
