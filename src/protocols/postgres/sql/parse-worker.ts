import { setFlagsFromString } from 'node:v8';
import { parentPort } from 'node:worker_threads';
import { loadModule, parseSync, SqlError, scanSync } from 'libpg-query';
import { FactsLimitError } from './builder.ts';
import { extractFacts } from './extract.ts';
import type { LiteralSpan, ParsedSql } from './facts.ts';
import { readsOtherwise } from './keywords.ts';
import { literalSpans } from './literals.ts';
import { type Reading, readAs } from './reading.ts';

/**
 * What the parser thread is asked, and what it answers. `parsed`: a `ParsedSql` as JSON, which crosses threads in half
 * the time of a structured clone. `fatal`: this thread may be damaged and ends itself.
 */
export interface ParseRequest {
  readonly id: number;
  readonly text: string;
  /** Major version of the server that is to run it. */
  readonly major: number;
}
export type ParseReply =
  | { readonly id: number; readonly parsed: string }
  | { readonly id: number; readonly syntax: string; readonly position: number }
  | { readonly id: number; readonly limit: string }
  | { readonly id: number; readonly fatal: string };

/** Beyond it the tokens are not listed: the whole text counts as one literal. */
const MAX_SCANNED_OCTETS = 256 * 1024;

/** Quick look: a quote, a dollar quote, a comment, or a long number. */
const MAY_HOLD_LITERALS = /['$]|--|\/\*|[0-9a-fA-F._]{5}/;

function literalsOf(text: string): LiteralSpan[] {
  if (!MAY_HOLD_LITERALS.test(text)) return [];
  const octets = Buffer.byteLength(text);
  const whole: LiteralSpan[] = [{ start: 0, end: octets, kind: 'string' }];
  if (octets > MAX_SCANNED_OCTETS) return whole;
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
  let reading: Reading = { ...AS_IT_IS, text };
  try {
    reading = readingOf(request);
    const tree = reading.text === '' ? { stmts: [] } : parseSync(reading.text);
    const statements = extractFacts(tree, reading.text, reading.newer);
    const parsed: ParsedSql = { statements, literals: literalsOf(text) };
    return { id, parsed: JSON.stringify(parsed) };
  } catch (error) {
    if (error instanceof FactsLimitError) return { id, limit: error.message };
    if (error instanceof SqlError) return syntaxError(id, error, reading);
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
