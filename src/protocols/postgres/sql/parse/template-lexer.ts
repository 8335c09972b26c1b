/**
 * A lexer for the plain part of PostgreSQL's SQL, of which it reads every token as the server does, and which gives up at
 * anything else: a comment, a quoted identifier, a dollar, a backslash, a character outside of ASCII, an operator that it
 * does not list.
 *
 * @see https://www.postgresql.org/docs/current/sql-syntax-lexical.html
 */

export interface Token {
  /** `word`: a reserved word. `name`: any other identifier or word. */
  readonly kind: 'word' | 'name' | 'number' | 'string' | 'operator' | 'mark';
  /** Upper case for words; the operator or mark itself; empty for names and literals. */
  readonly word: string;
  readonly start: number;
  /** Exclusive. Octets, as the text is ASCII. */
  readonly end: number;
}

/** Longer texts are parsed. */
const MAX_CHARS = 8192;
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

/** Classes of octets: 0 refused, 1 space, 2 letter, 3 digit, 4 mark, 5 operator, 6 quote. */
const CLASS = new Uint8Array(128);
for (const octet of Buffer.from(' \t\n\r')) CLASS[octet] = 1;
for (let octet = 0; octet < 128; octet++) {
  const letter = String.fromCharCode(octet);
  if (/[A-Za-z_]/.test(letter)) CLASS[octet] = 2;
  else if (/[0-9]/.test(letter)) CLASS[octet] = 3;
  else if ('(),.;'.includes(letter)) CLASS[octet] = 4;
  else if ('=<>!+-*'.includes(letter)) CLASS[octet] = 5;
  else if (letter === "'") CLASS[octet] = 6;
}

function classAt(text: string, at: number): number {
  return CLASS[text.charCodeAt(at)] ?? 0;
}

/** @returns The tokens in order, or undefined if there are too many or any is not certain. Pure. */
export function tokensOf(text: string, maxTokens: number): Token[] | undefined {
  if (text.length > MAX_CHARS) return undefined;
  const tokens: Token[] = [];
  for (let at = 0; at < text.length; ) {
    if (classAt(text, at) === 1) {
      at++;
      continue;
    }
    const token = tokenAt(text, at);
    if (token === undefined || tokens.length >= maxTokens) return undefined;
    tokens.push(token);
    at = token.end;
  }
  return tokens;
}

function tokenAt(text: string, start: number): Token | undefined {
  switch (classAt(text, start)) {
    case 2:
      return wordAt(text, start);
    case 3:
      return numberAt(text, start);
    case 4:
      return markAt(text, start);
    case 5:
      return operatorAt(text, start);
    case 6:
      return stringAt(text, start);
    default:
      return undefined;
  }
}

function wordAt(text: string, start: number): Token | undefined {
  let end = start + 1;
  while (classAt(text, end) === 2 || classAt(text, end) === 3) end++;
  // E'…', U&'…', n'…': another kind of string.
  if (classAt(text, end) === 6) return undefined;
  const word = text.slice(start, end).toUpperCase();
  if (RESERVED.has(word)) return { kind: 'word', word, start, end };
  return { kind: 'name', word: '', start, end };
}

/** Digits and nothing that could go on: no fraction, exponent, base, underscore or letter. */
function numberAt(text: string, start: number): Token | undefined {
  let end = start + 1;
  while (classAt(text, end) === 3) end++;
  const next = classAt(text, end);
  if (end - start > MAX_DIGITS || next === 2 || next === 6 || text[end] === '.') return undefined;
  return { kind: 'number', word: '', start, end };
}

function markAt(text: string, start: number): Token | undefined {
  const end = start + 1;
  // `.5` is a number, `..` another token.
  if (text[start] === '.' && (classAt(text, end) === 3 || text[end] === '.')) return undefined;
  return { kind: 'mark', word: text[start]!, start, end };
}

function operatorAt(text: string, start: number): Token | undefined {
  let end = start + 1;
  while (classAt(text, end) === 5) end++;
  const word = text.slice(start, end);
  return OPERATORS.has(word) ? { kind: 'operator', word, start, end } : undefined;
}

/** `'…'` with `''` for a quote; a backslash means something where standard_conforming_strings is off. */
function stringAt(text: string, start: number): Token | undefined {
  for (let at = start + 1; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x5c || code === 0 || code > 0x7e || (code < 0x20 && classAt(text, at) !== 1))
      return undefined;
    if (code !== 0x27) continue;
    if (text.charCodeAt(at + 1) !== 0x27) return endOfString(text, start, at + 1);
    at++;
  }
  return undefined;
}

/** Strings with nothing but white space and a line break between them are one. */
function endOfString(text: string, start: number, end: number): Token | undefined {
  let next = end;
  while (classAt(text, next) === 1) next++;
  return classAt(text, next) === 6 ? undefined : { kind: 'string', word: '', start, end };
}
