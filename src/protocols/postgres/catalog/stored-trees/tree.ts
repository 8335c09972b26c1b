/** A part of a tree that the server keeps: a node, a list, a word (null for `<>`). */
export type StoredValue = StoredNode | readonly StoredValue[] | string | null;

export interface StoredNode {
  /** `QUERY`, `VAR`, … */
  readonly tag: string;
  /** By name. Of a field with several words (a constant's octets) the first. */
  readonly fields: ReadonlyMap<string, StoredValue>;
}

/** Deeper trees are not read. */
const MAX_DEPTH = 1_000;

/** The text is none that the server writes, or is nested too deep. */
export class UnreadableTree extends Error {}

export function isNode(value: StoredValue | undefined): value is StoredNode {
  return typeof value === 'object' && value !== null && 'tag' in value;
}

export function isList(value: StoredValue | undefined): value is readonly StoredValue[] {
  return Array.isArray(value);
}

/**
 * Reads a `pg_node_tree` as text: what views, rules, defaults and checks are kept as.
 *
 * What follows a field's name is its value, whatever it looks like: a column may be called `:relid`.
 *
 * @throws {UnreadableTree}
 * @see PostgreSQL, src/backend/nodes/read.c (`pg_strtok`, `nodeRead`) and outfuncs.c (`outToken`)
 */
export function readStoredTree(text: string): StoredValue {
  const words = new Words(text);
  const value = readValue(words, 0);
  if (words.next() !== undefined) throw new UnreadableTree('something follows the tree');
  return value;
}

function readValue(words: Words, depth: number): StoredValue {
  if (depth > MAX_DEPTH) throw new UnreadableTree('nested too deep');
  const word = words.next();
  if (word === '{') return readNode(words, depth);
  if (word === '(') return readList(words, depth);
  if (word === undefined || word === '}' || word === ')') throw new UnreadableTree('a value is missing');
  return word === '<>' ? null : word;
}

function readNode(words: Words, depth: number): StoredNode {
  const tag = words.next() ?? '';
  const fields = new Map<string, StoredValue>();
  for (let word = words.next(); word !== '}'; word = words.next()) {
    if (word === undefined || !word.startsWith(':') || fields.has(word.slice(1)))
      throw new UnreadableTree('not the field of a node');
    fields.set(word.slice(1), readValue(words, depth + 1));
    while (words.atMore()) words.next();
  }
  return { tag, fields };
}

function readList(words: Words, depth: number): StoredValue[] {
  const items: StoredValue[] = [];
  while (!words.atEndOfList()) items.push(readValue(words, depth + 1));
  words.next();
  return items;
}

/** Words as the server tells them apart: by blanks and brackets that have no backslash before them. */
class Words {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** As it is written: backslashes are left where they stand, so that no word is taken for a bracket. */
  next(): string | undefined {
    this.#skipBlanks();
    const start = this.#at;
    if (start >= this.#text.length) return undefined;
    const first = this.#text[start] as string;
    this.#at++;
    if (BRACKETS.has(first)) return first;
    if (first === '\\') this.#at++;
    while (this.#at < this.#text.length) {
      const letter = this.#text[this.#at] as string;
      if (BRACKETS.has(letter) || BLANKS.has(letter)) break;
      this.#at += letter === '\\' ? 2 : 1;
    }
    return this.#text.slice(start, this.#at);
  }

  /** Whether a word follows that goes on with a value: the octets of a constant. */
  atMore(): boolean {
    this.#skipBlanks();
    const letter = this.#text[this.#at];
    return letter !== undefined && letter !== ':' && !BRACKETS.has(letter);
  }

  atEndOfList(): boolean {
    this.#skipBlanks();
    return this.#text[this.#at] === ')';
  }

  #skipBlanks(): void {
    while (BLANKS.has(this.#text[this.#at] ?? '')) this.#at++;
  }
}

const BRACKETS: ReadonlySet<string> = new Set(['(', ')', '{', '}']);
const BLANKS: ReadonlySet<string> = new Set([' ', '\n', '\t']);
