/**
 * A lexer for the plain part of PostgreSQL's SQL, of which it reads every token as the server does, and which gives up at
 * anything else: a comment, a dollar quote, a backslash, an exponent, a character outside of ASCII.
 *
 * @see https://www.postgresql.org/docs/current/sql-syntax-lexical.html
 */

export interface Token {
  /**
   * `word`: a reserved word. `name`: any other identifier or word. `number`: of few digits. `long`: any other number.
   * `other`: what templates do not take, and is no literal.
   */
  readonly kind: 'word' | 'name' | 'number' | 'long' | 'string' | 'operator' | 'mark' | 'other';
  /** Upper case for words; the operator or mark itself; empty for all others. */
  readonly word: string;
  readonly start: number;
  /** Exclusive. Octets, as the text is ASCII. */
  readonly end: number;
}

/** Ten digits may be more than an int4, which is another token. */
const MAX_DIGITS = 9;

/**
 * Reserved words of PostgreSQL 18 and those that can take an operand or a literal without being reserved: none of them is
 * ever taken for a column.
 *
 * @see https://www.postgresql.org/docs/current/sql-keywords-appendix.html
 */
const RESERVED: ReadonlySet<string> = new Set(
  `ALL ANALYSE ANALYZE AND ANY ARRAY AS ASC ASYMMETRIC AUTHORIZATION BETWEEN BINARY BOTH BY CASE CAST CHECK COLLATE
  COLLATION COLUMN CONCURRENTLY CONFLICT CONSTRAINT CREATE CROSS CURRENT_CATALOG CURRENT_DATE CURRENT_ROLE CURRENT_SCHEMA
  CURRENT_TIME CURRENT_TIMESTAMP CURRENT_USER DEFAULT DEFERRABLE DELETE DESC DISTINCT DO ELSE END ESCAPE EXCEPT EXISTS
  FALSE FETCH FILTER FIRST FOR FOREIGN FREEZE FROM FULL GRANT GROUP GROUPING HAVING ILIKE IN INITIALLY INNER INSERT
  INTERSECT INTERVAL INTO IS ISNULL JOIN LATERAL LEADING LEFT LIKE LIMIT LOCALTIME LOCALTIMESTAMP MERGE NATURAL NEXT NOT
  NOTHING NOTNULL NULL OFFSET ON ONLY OPERATOR OR ORDER OUTER OVER OVERLAPS OVERRIDING PLACING PRIMARY REFERENCES RETURNING
  RIGHT ROW ROWS SELECT SESSION_USER SET SIMILAR SOME SYMMETRIC SYSTEM_USER TABLE TABLESAMPLE THEN TO TRAILING TRUE UNION
  UNIQUE UPDATE USER USING VALUES VARIADIC VERBOSE WHEN WHERE WINDOW WITH WITHIN`.split(/\s+/),
);

const OPERATORS: ReadonlySet<string> = new Set(['=', '<', '>', '<=', '>=', '<>', '!=', '+', '-', '*']);
/** What begins a comment, and what is no operator at the end of a longer one. */
const UNSURE_OPERATOR = /--|\/\*|.[+-]$/;

/** Classes of octets: 0 refused, and those below. */
const CLASS = new Uint8Array(128);
const [SPACE, LETTER, DIGIT, MARK, OPERATOR, QUOTE, DOUBLE_QUOTE, OTHER, DOLLAR] = [
  1, 2, 3, 4, 5, 6, 7, 8, 9,
];
const CHARACTERS: readonly (readonly [number, RegExp])[] = [
  [SPACE, /[ \t\n\r]/],
  [LETTER, /[A-Za-z_]/],
  [DIGIT, /[0-9]/],
  [MARK, /[(),.;]/],
  [OPERATOR, /[=<>!+\-*/%~@#^&|`?]/],
  [QUOTE, /'/],
  [DOUBLE_QUOTE, /"/],
  [OTHER, /[[\]:]/],
  [DOLLAR, /\$/],
];
for (let octet = 0; octet < 128; octet++)
  CLASS[octet] = CHARACTERS.find(([, those]) => those.test(String.fromCharCode(octet)))?.[0] ?? 0;

function classAt(text: string, at: number): number {
  return CLASS[text.charCodeAt(at)] ?? 0;
}

/**
 * Hands out the tokens of a text, in order.
 *
 * @param take Returns false if it wants no more.
 * @returns Whether it came to the end: no token is uncertain, and `take` wanted them all. Pure.
 */
export function eachToken(text: string, take: (token: Token) => boolean): boolean {
  for (let at = 0; at < text.length; ) {
    if (classAt(text, at) === SPACE) {
      at++;
      continue;
    }
    const token = tokenAt(text, at);
    if (token === undefined || !take(token)) return false;
    at = token.end;
  }
  return true;
}

function tokenAt(text: string, start: number): Token | undefined {
  switch (classAt(text, start)) {
    case LETTER:
      return wordAt(text, start);
    case DIGIT:
      return numberAt(text, start);
    case MARK:
      return markAt(text, start);
    case OPERATOR:
      return operatorAt(text, start);
    case QUOTE:
      return stringAt(text, start);
    case DOUBLE_QUOTE:
      return quotedNameAt(text, start);
    case OTHER:
      return otherMarkAt(text, start);
    case DOLLAR:
      return parameterAt(text, start);
    default:
      return undefined;
  }
}

function other(start: number, end: number): Token {
  return { kind: 'other', word: '', start, end };
}

function wordAt(text: string, start: number): Token | undefined {
  let end = start + 1;
  while (classAt(text, end) === LETTER || classAt(text, end) === DIGIT) end++;
  // E'…', n'…': another kind of string. U&'…', U&"…" likewise. A name may hold a dollar.
  const next = classAt(text, end);
  if (next === QUOTE || next === DOUBLE_QUOTE || next === DOLLAR || text[end] === '&') return undefined;
  const word = text.slice(start, end).toUpperCase();
  if (RESERVED.has(word)) return { kind: 'word', word, start, end };
  return { kind: 'name', word: '', start, end };
}

/** Digits, perhaps with a fraction, and nothing that could go on: no exponent, base, underscore or letter. */
function numberAt(text: string, start: number): Token | undefined {
  let end = digitsEnd(text, start);
  const isLong = end - start > MAX_DIGITS;
  const hasFraction = text[end] === '.';
  if (hasFraction) {
    if (classAt(text, end + 1) !== DIGIT) return undefined;
    end = digitsEnd(text, end + 1);
  }
  const next = classAt(text, end);
  const isOver =
    next === SPACE || next === MARK || next === OPERATOR || next === OTHER || end === text.length;
  if (!isOver || text[end] === '.') return undefined;
  return { kind: isLong || hasFraction ? 'long' : 'number', word: '', start, end };
}

function digitsEnd(text: string, start: number): number {
  let end = start;
  while (classAt(text, end) === DIGIT) end++;
  return end;
}

function markAt(text: string, start: number): Token | undefined {
  const end = start + 1;
  // `.5` is a number, `..` another token.
  if (text[start] === '.' && (classAt(text, end) === DIGIT || text[end] === '.')) return undefined;
  return { kind: 'mark', word: text[start]!, start, end };
}

/** `[`, `]`, `:`, `::`, `:=`. */
function otherMarkAt(text: string, start: number): Token {
  const isLong = text[start] === ':' && (text[start + 1] === ':' || text[start + 1] === '=');
  return other(start, isLong ? start + 2 : start + 1);
}

function operatorAt(text: string, start: number): Token | undefined {
  let end = start + 1;
  while (classAt(text, end) === OPERATOR) end++;
  const word = text.slice(start, end);
  if (OPERATORS.has(word)) return { kind: 'operator', word, start, end };
  return UNSURE_OPERATOR.test(word) ? undefined : other(start, end);
}

/** `$1` */
function parameterAt(text: string, start: number): Token | undefined {
  const end = digitsEnd(text, start + 1);
  const next = classAt(text, end);
  const goesOn = next === LETTER || next === QUOTE || next === DOUBLE_QUOTE || next === DOLLAR;
  const digits = end - start - 1;
  return digits === 0 || digits > MAX_DIGITS || goesOn ? undefined : other(start, end);
}

/** `'…'` with `''` for a quote. */
function stringAt(text: string, start: number): Token | undefined {
  const end = quotesEnd(text, start);
  return end === undefined ? undefined : endOfString(text, start, end);
}

/** `"…"` with `""` for a quote; of nothing it is an error. */
function quotedNameAt(text: string, start: number): Token | undefined {
  const end = quotesEnd(text, start);
  return end === undefined || end === start + 2 ? undefined : other(start, end);
}

/** Behind the quote that closes; a backslash means something where standard_conforming_strings is off. */
function quotesEnd(text: string, start: number): number | undefined {
  const quote = text.charCodeAt(start);
  for (let at = start + 1; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x5c || code === 0 || code > 0x7e || (code < 0x20 && classAt(text, at) !== SPACE))
      return undefined;
    if (code !== quote) continue;
    if (text.charCodeAt(at + 1) !== quote) return at + 1;
    at++;
  }
  return undefined;
}

/** Strings with nothing but white space and a line break between them are one. */
function endOfString(text: string, start: number, end: number): Token | undefined {
  let next = end;
  while (classAt(text, next) === SPACE) next++;
  return classAt(text, next) === QUOTE ? undefined : { kind: 'string', word: '', start, end };
}
