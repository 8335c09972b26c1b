/** An identifier as it stands in a text, before it is known what it names. */
export interface OwnName {
  /** Folded, or as it was quoted. */
  readonly name: string;
  /** Index of its first character, and behind its last. */
  readonly start: number;
  readonly end: number;
}

/** In this order: what comes first is taken whole, so that nothing within a literal or a comment is an identifier. */
const TOKENS =
  /--[^\n]*|\/\*|(?:[eE]'(?:[^'\\]|''|\\[\s\S])*'|(?:[uU]&|[bBxXnN])?'(?:[^']|'')*')|\$([A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$|"((?:[^"]|"")*)"|([A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*)|\d[\w.]*|['"]/g;

/**
 * The identifiers of a text, keywords among them, and nothing of its literals and comments. What cannot be read to its end
 * (an open literal) ends the list. Pure.
 */
export function ownNames(sql: string): OwnName[] {
  const names: OwnName[] = [];
  const tokens = new RegExp(TOKENS);
  for (let found = tokens.exec(sql); found !== null; found = tokens.exec(sql)) {
    const [token, , quoted, word] = found;
    // A literal that does not end.
    if (token === "'" || token === '"') break;
    if (token === '/*') tokens.lastIndex = behindComment(sql, found.index);
    else if (token.startsWith('$')) tokens.lastIndex = behindDollars(sql, found.index, token);
    const end = found.index + token.length;
    if (quoted !== undefined) names.push({ name: quoted.replaceAll('""', '"'), start: found.index, end });
    else if (word !== undefined) names.push({ name: word.toLowerCase(), start: found.index, end });
  }
  return names;
}

/** Comments nest. */
function behindComment(sql: string, start: number): number {
  const marks = /\/\*|\*\//g;
  marks.lastIndex = start;
  let depth = 0;
  for (let mark = marks.exec(sql); mark !== null; mark = marks.exec(sql)) {
    depth += mark[0] === '/*' ? 1 : -1;
    if (depth === 0) return marks.lastIndex;
  }
  return sql.length;
}

function behindDollars(sql: string, start: number, delimiter: string): number {
  const end = sql.indexOf(delimiter, start + delimiter.length);
  return end === -1 ? sql.length : end + delimiter.length;
}

/**
 * The qualified name that begins at a place in the text.
 *
 * @param position As the server counts: characters, from 1.
 * @returns Its parts, outermost first; empty if no identifier begins there. Pure.
 */
export function nameAt(sql: string, names: readonly OwnName[], position: number): string[] {
  const at = indexOfCharacter(sql, position - 1);
  const first = names.findIndex(({ start }) => start === at);
  const parts: string[] = [];
  for (let index = first, end = at; index >= 0 && index < names.length; index++) {
    const { name, start, end: behind } = names[index] as OwnName;
    if (parts.length > 0 && !/^\s*\.\s*$/.test(sql.slice(end, start))) break;
    parts.push(name);
    end = behind;
  }
  return parts;
}

/** Where a character begins, both from 0: those outside of the basic plane are two units of ours and one of the server's. Pure. */
export function indexOfCharacter(sql: string, character: number): number {
  let index = 0;
  for (let count = 0; count < character && index < sql.length; count++)
    index += (sql.codePointAt(index) ?? 0) > 0xffff ? 2 : 1;
  return index;
}

/** Which character begins there, both from 0. Pure. */
export function characterAt(sql: string, index: number): number {
  let character = 0;
  for (let at = 0; at < index && at < sql.length; character++)
    at += (sql.codePointAt(at) ?? 0) > 0xffff ? 2 : 1;
  return character;
}
