import {
  isList,
  isNode,
  readStoredTree,
  type StoredNode,
  type StoredValue,
} from '../../../src/protocols/postgres/catalog/stored-trees/tree.ts';

/** What is printed is not what this reader knows. */
export class UnknownTree extends Error {}

/** Octets of a constant as one word: the general reader keeps the first word of a field only. */
const OCTETS = /:constvalue \d+ \[ ([-\d ]*)\]/g;

/**
 * Reads a tree as `debug_print_parse` prints it: in lines of 78 characters, broken at blanks where there are some, also at
 * one that belongs to a name.
 */
export function readPrinted(text: string): Fields {
  const oneLine = text.replaceAll('\n', ' ');
  const value = readStoredTree(
    oneLine.replace(OCTETS, (_, octets: string) => `:constvalue ${octets.trim().replaceAll(' ', ',')}`),
  );
  if (!isNode(value)) throw new UnknownTree('not a node');
  return new Fields(value);
}

/** Reads the fields of a printed node by their kinds. */
export class Fields {
  readonly #node: StoredNode;

  constructor(node: StoredNode) {
    this.#node = node;
  }

  get tag(): string {
    return this.#node.tag;
  }

  has(name: string): boolean {
    return this.#node.fields.has(name);
  }

  /** OIDs and numbers. */
  number(name: string): number {
    const number = Number(this.#word(name));
    if (!Number.isInteger(number)) throw new UnknownTree(`${this.tag}.${name} is no number`);
    return number;
  }

  flag(name: string): boolean {
    return this.#word(name) === 'true';
  }

  word(name: string): string {
    return plain(this.#word(name));
  }

  /** Undefined where the server has none. */
  name(name: string): string | undefined {
    const value = this.#value(name);
    return value === null ? undefined : this.word(name);
  }

  node(name: string): Fields | undefined {
    const value = this.#value(name);
    if (value === null) return undefined;
    if (!isNode(value)) throw new UnknownTree(`${this.tag}.${name} is no node`);
    return new Fields(value);
  }

  nodes(name: string): Fields[] {
    return this.list(name).map((item) => {
      if (item === undefined) throw new UnknownTree(`${this.tag}.${name} holds nothing`);
      return item;
    });
  }

  /** Nodes, some of which may not be there. */
  list(name: string): (Fields | undefined)[] {
    return this.#items(name).map((item) => {
      if (item === null) return undefined;
      if (!isNode(item)) throw new UnknownTree(`${this.tag}.${name} holds what is no node`);
      return new Fields(item);
    });
  }

  /** A list of lists of nodes. */
  rows(name: string): Fields[][] {
    return this.#items(name).map((row) => {
      // A row without columns.
      if (row === null) return [];
      if (!isList(row) || !row.every(isNode))
        throw new UnknownTree(`${this.tag}.${name} is no list of lists`);
      return row.map((item) => new Fields(item));
    });
  }

  names(name: string): string[] {
    return this.#items(name).map((item) => {
      if (typeof item !== 'string') throw new UnknownTree(`${this.tag}.${name} holds what is no name`);
      return plain(item);
    });
  }

  /** A list of OIDs, `(o 23 25)`, or of integers, `(i 1 2)`. */
  numbers(name: string): number[] {
    return this.#items(name).slice(1).map(Number);
  }

  #items(name: string): readonly StoredValue[] {
    const value = this.#value(name);
    if (value === null) return [];
    if (!isList(value)) throw new UnknownTree(`${this.tag}.${name} is no list`);
    return value;
  }

  #word(name: string): string {
    const value = this.#value(name);
    if (typeof value !== 'string') throw new UnknownTree(`${this.tag}.${name} is no word`);
    return value;
  }

  #value(name: string): StoredValue {
    const value = this.#node.fields.get(name);
    if (value === undefined) throw new UnknownTree(`${this.tag} has no field ${name}`);
    return value;
  }
}

/** Without quotes, and without the backslashes before whatever else would mean something. */
function plain(word: string): string {
  const inside = word.length > 1 && word.startsWith('"') && word.endsWith('"') ? word.slice(1, -1) : word;
  return inside.replace(/\\(.)/gs, '$1');
}
