import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml';
import type { Mistake } from './mistake.ts';
import { yamlFault } from './yaml-fault.ts';

/** Largest configuration, octets. */
const MAX_CONFIG_BYTES = 1024 * 1024;

/** A parsed YAML text that can say where each path stands. */
export interface ConfigDocument {
  readonly value: unknown;
  /** Syntax errors, ready to print; if there are any, `value` is not to be used. */
  readonly mistakes: readonly Mistake[];
  /** Place of the value at this path, or of its nearest parent; `key` asks for the key's own place. */
  locate(path: readonly PropertyKey[], key?: boolean): { line: number; column: number };
}

/**
 * Parses one YAML 1.2 document and keeps the position of every key and value.
 *
 * Pure. Never throws: what cannot be read is in `mistakes`.
 *
 * @param file The name that mistakes carry.
 */
export function parseConfigDocument(text: string, file: string): ConfigDocument {
  const start = { line: 1, column: 1 };
  if (text.length > MAX_CONFIG_BYTES) {
    const mistake = { file, ...start, path: '', problem: 'is larger than 1 MiB', cure: 'make it smaller' };
    return { value: undefined, mistakes: [mistake], locate: () => start };
  }
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const at = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  const mistakes = told([...document.errors, ...document.warnings]).map((error) => ({
    file,
    ...at(error.pos[0]),
    ...yamlFault(document.contents, error, (offset) => at(offset).line),
  }));
  const locate = (path: readonly PropertyKey[], key = false) => at(offsetOf(document.contents, path, key));
  if (mistakes.length > 0) return { value: undefined, mistakes, locate };
  try {
    return { value: document.toJS({ maxAliasCount: 100 }) ?? {}, mistakes, locate };
  } catch {
    const problem = 'is not valid YAML: an alias has no anchor, or there are too many';
    return {
      value: undefined,
      mistakes: [{ file, ...start, path: '', problem, cure: 'write it out' }],
      locate,
    };
  }
}

/** Behind the first place where a text is no YAML, the parser finds as many more as it likes: they go with that one. */
function told<T extends { readonly code: string }>(faults: readonly T[]): readonly T[] {
  const first = faults.find(({ code }) => code !== 'DUPLICATE_KEY');
  return faults.filter((fault) => fault.code === 'DUPLICATE_KEY' || fault === first);
}

function offsetOf(root: Node | null, path: readonly PropertyKey[], wantKey: boolean): number {
  let node: unknown = root;
  let offset = root?.range?.[0] ?? 0;
  for (const [index, step] of path.entries()) {
    if (isAlias(node)) return offset;
    if (isMap(node)) {
      const pair = node.items.find((item) => isScalar(item.key) && String(item.key.value) === String(step));
      if (pair === undefined || !isScalar(pair.key)) return offset;
      const value = pair.value as Node | null;
      const keyOffset = pair.key.range?.[0] ?? offset;
      const keyWanted = wantKey && index === path.length - 1;
      offset = keyWanted || isCollection(value) ? keyOffset : (value?.range?.[0] ?? keyOffset);
      node = value;
    } else if (isSeq(node)) {
      const item = node.items[Number(step)] as Node | undefined;
      if (item === undefined) return offset;
      offset = item.range?.[0] ?? offset;
      node = item;
    } else return offset;
  }
  return offset;
}

/** For a whole mapping or list the reader looks for its name, not for its first line. */
function isCollection(node: Node | null): boolean {
  return isMap(node) || isSeq(node);
}
