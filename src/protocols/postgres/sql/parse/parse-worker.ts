import { setPriority } from 'node:os';
import { setFlagsFromString } from 'node:v8';
import { parentPort, workerData } from 'node:worker_threads';
import { loadModule, parseSync, SqlError, scanSync } from 'libpg-query';
import { FactsLimitError } from '../facts/builder.ts';
import { extractFacts } from '../facts/extract.ts';
import type { LiteralSpan, StatementFacts } from '../facts/facts.ts';
import { rawTrees } from '../facts/raw-tree.ts';
import { inLines } from '../tokens/in-lines.ts';
import { readsOtherwise } from './keywords.ts';
import { literalSpans, plainLiterals } from './literals.ts';
import { type Reading, readAs } from './reading.ts';

/**
 * What the parser thread is asked, and what it answers. `parsed`: lists of facts as JSON, which crosses threads in half
 * the time of a structured clone, in pieces of which none takes long to read. `trees`: as `rawTrees` gives them, apart, as few are read at once. `fatal`: this thread may be damaged and ends
 * itself.
 */
export interface WorkerSettings {
  readonly niceness: number;
}
export interface ParseQuestion {
  readonly text: string;
  /** Major version of the server that is to run it. */
  readonly major: number;
  /** It is to be read by people: nothing else is asked. */
  readonly inLines?: true;
}
export interface ParseRequest extends ParseQuestion {
  readonly id: number;
}
export type ParseReply =
  | {
      readonly id: number;
      readonly parsed: readonly string[];
      readonly trees: readonly (string | null)[];
      readonly literals: string;
    }
  | { readonly id: number; readonly lines: string | undefined }
  | { readonly id: number; readonly syntax: string; readonly position: number }
  | { readonly id: number; readonly limit: string }
  | { readonly id: number; readonly fatal: string };

/** Beyond it the tokens are not listed: the whole text counts as one literal. */
const MAX_SCANNED_OCTETS = 256 * 1024;

/**
 * Quick look: a quote, a dollar quote, a comment, or a number of more than four digits, which begins with a digit or a
 * point, and may go on behind `0x`, `0o` or the sign of an exponent. Looking at every word takes longer than parsing.
 */
const MAY_HOLD_LITERALS = /['$]|--|\/\*|[0-9.][0-9a-fA-F._]{4}|0[xXoO]|[0-9.][eE][+-]/;

/** What one statement, and all of one text, may say, as JSON: it is read, and judged, on the thread that serves everyone. */
const MAX_STATEMENT_CHARS = 1024 * 1024;
const MAX_TEXT_CHARS = 4 * 1024 * 1024;
const PIECE_CHARS = 64 * 1024;

function piecesOf(statements: readonly StatementFacts[]): string[] {
  const pieces: string[] = [];
  let [piece, total] = ['', 0];
  for (const statement of statements) {
    const json = JSON.stringify(statement);
    total += json.length;
    if (json.length > MAX_STATEMENT_CHARS || total > MAX_TEXT_CHARS)
      throw new FactsLimitError('it says more than is kept');
    piece += piece === '' ? `[${json}` : `,${json}`;
    if (piece.length < PIECE_CHARS) continue;
    pieces.push(`${piece}]`);
    piece = '';
  }
  if (piece !== '') pieces.push(`${piece}]`);
  return pieces;
}

function literalsOf(text: string): LiteralSpan[] {
  if (!MAY_HOLD_LITERALS.test(text)) return [];
  const octets = Buffer.byteLength(text);
  const whole: LiteralSpan[] = [{ start: 0, end: octets, kind: 'string' }];
  if (octets > MAX_SCANNED_OCTETS) return whole;
  const plain = plainLiterals(text);
  if (plain !== undefined) return plain;
  try {
    return literalSpans(scanSync(text).tokens);
  } catch (error) {
    // The list of tokens is JSON in which control characters are not escaped.
    if (error instanceof SyntaxError) return whole;
    throw error;
  }
}

const AS_IT_IS: Omit<Reading, 'text'> = { original: (position) => position };

function readingOf({ text, major }: ParseRequest): Reading {
  if (!readsOtherwise(text, major)) return { ...AS_IT_IS, text };
  try {
    return readAs(text, major);
  } catch (error) {
    // What the lexer does not accept the parser does not either, and says why.
    if (error instanceof SyntaxError) parseSync(text);
    throw error;
  }
}

function answer(request: ParseRequest): ParseReply {
  const { id, text } = request;
  if (request.inLines === true) return lines(id, text);
  let reading: Reading = { ...AS_IT_IS, text };
  try {
    reading = readingOf(request);
    const tree = reading.text === '' ? { stmts: [] } : parseSync(reading.text);
    const parsed = piecesOf(extractFacts(tree, reading.text, reading.newer));
    return { id, parsed, trees: rawTrees(tree), literals: JSON.stringify(literalsOf(text)) };
  } catch (error) {
    if (error instanceof FactsLimitError) return { id, limit: error.message };
    if (error instanceof SqlError) return syntaxError(id, error, reading);
    return { id, fatal: error instanceof Error ? error.name : 'unknown' };
  }
}

/** What the lexer does not take stays as it is. */
function lines(id: number, text: string): ParseReply {
  try {
    return { id, lines: inLines(text, scanSync) };
  } catch (error) {
    if (error instanceof SqlError || error instanceof SyntaxError) return { id, lines: undefined };
    return { id, fatal: error instanceof Error ? error.name : 'unknown' };
  }
}

function syntaxError(id: number, error: SqlError, reading: Reading): ParseReply {
  if (error.message.startsWith('memory exhausted')) return { id, limit: 'nested too deeply' };
  return { id, syntax: error.message, position: reading.original(error.sqlDetails?.cursorPosition ?? 0) };
}

// Optimizing the grammar, one huge function, takes V8 more than 500 MiB for a second or two, which can have a small
// container killed at its first statements, and saves some microseconds a statement. The flags are read when a module is
// compiled: policy's, which is compiled at the start, stays as it was.
setFlagsFromString('--no-wasm-tier-up');
setFlagsFromString('--no-wasm-dynamic-tiering');
const { niceness } = workerData as WorkerSettings;
// On Linux a thread's own; elsewhere it would be the whole process's.
if (niceness > 0 && process.platform === 'linux') setPriority(0, niceness);
await loadModule();
const port = parentPort;
if (port === null) throw new Error('parse-worker runs as a worker thread only');
port.on('message', (request: ParseRequest) => {
  const reply = answer(request);
  port.postMessage(reply);
  // After a trap inside WebAssembly nothing this instance says can be relied on.
  if ('fatal' in reply) port.close();
});
port.postMessage('ready');
