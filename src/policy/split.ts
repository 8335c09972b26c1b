/** A policy as it stands in its file. */
export interface PolicySource {
  /** From its first annotation or keyword to its semicolon. */
  readonly text: string;
  /** UTF-16 offset in the file. */
  readonly offset: number;
}

/** Why a file cannot be taken apart, at a UTF-16 offset. */
export interface SplitFault {
  readonly offset: number;
  readonly message: string;
  readonly cure: string;
}

/** Largest file, UTF-16 units. */
const MAX_FILE_CHARS = 256 * 1024;
/** Cedar's parser recurses for brackets and conditionals and never comes back from a full stack. */
const MAX_DEPTH = 24;
/** It recurses for chains of operators and members too. */
const MAX_CHAIN = 400;

const TOKEN = /\/\/[^\n\r]*|"(?:\\[\s\S]|[^"\\])*"|"|[([{]|[)\]}]|;|\w+|&&|\|\||[-+*!.<=]|[^\s]/gu;

/**
 * Takes a file of policies apart at the semicolons, and refuses what would exhaust the stack of Cedar's parser.
 *
 * Pure, linear. Says nothing about syntax beyond strings, comments and brackets: that is Cedar's to judge.
 *
 * @returns Policies in order. A text without its semicolon is the last one's; Cedar will complain.
 * @see https://docs.cedarpolicy.com/policies/syntax-grammar.html
 */
export function splitPolicies(
  text: string,
): { readonly policies: readonly PolicySource[] } | { readonly fault: SplitFault } {
  if (text.length > MAX_FILE_CHARS) {
    return {
      fault: fault(0, `the file is longer than ${MAX_FILE_CHARS} characters`, 'divide it into several files'),
    };
  }
  const policies: PolicySource[] = [];
  let state = { start: -1, end: 0, depth: 0, chain: 0 };
  for (const match of text.matchAll(TOKEN)) {
    const token = match[0];
    const offset = match.index;
    if (token.startsWith('//')) continue;
    if (state.start === -1) state.start = offset;
    state.end = offset + token.length;
    if ('([{'.includes(token)) state.depth++;
    else if (')]}'.includes(token)) state.depth--;
    if (CHAINED.has(token)) state.chain++;
    if (state.depth > MAX_DEPTH)
      return { fault: fault(offset, `brackets are nested deeper than ${MAX_DEPTH}`, 'divide the rule') };
    if (state.chain > MAX_CHAIN)
      return {
        fault: fault(
          offset,
          `the rule has more than ${MAX_CHAIN} operators`,
          'divide it, or compare with a set: ["a", "b"].contains(…)',
        ),
      };
    if (token !== ';' || state.depth > 0) continue;
    policies.push({ text: text.slice(state.start, state.end), offset: state.start });
    state = { start: -1, end: 0, depth: 0, chain: 0 };
  }
  if (state.start !== -1) policies.push({ text: text.slice(state.start, state.end), offset: state.start });
  return { policies };
}

const CHAINED = new Set(['if', 'when', 'unless', '&&', '||', '-', '+', '*', '!', '.', '<', '=', '[', '(']);

function fault(offset: number, message: string, cure: string): SplitFault {
  return { offset, message, cure };
}
