import { isMap, isScalar, isSeq, type YAMLParseError, type YAMLWarning } from 'yaml';
import type { Mistake } from './mistake.ts';

/** Longest name that is shown of a key, characters. */
const MAX_KEY = 60;

/**
 * Says what the parser found wrong with a text. Of a key that is there twice it says which, below what, and where the first one
 * stands: the parser's own words name none.
 *
 * Pure. Never throws.
 *
 * @param root What could be read of the text.
 * @param lineOf The line of an offset, from 1.
 */
export function yamlFault(
  root: unknown,
  { code, message, pos }: Pick<YAMLParseError | YAMLWarning, 'code' | 'message' | 'pos'>,
  lineOf: (offset: number) => number,
): Pick<Mistake, 'path' | 'problem' | 'cure'> {
  const twice = code === 'DUPLICATE_KEY' ? keyAt(root, pos[0], []) : undefined;
  if (twice !== undefined) {
    const problem = `is there twice: the first time in line ${lineOf(twice.first)}`;
    return { path: twice.path.join('.'), problem, cure: 'keep one of them' };
  }
  return { path: '', problem: `is not valid YAML: ${message.replace(/\s+/g, ' ')}`, cure: '' };
}

interface Twice {
  /** With the key itself. */
  readonly path: readonly string[];
  /** Offset of the key that it repeats. */
  readonly first: number;
}

/** The key that begins at an offset, if the mapping that it is of has it before. */
function keyAt(node: unknown, offset: number, above: readonly string[]): Twice | undefined {
  if (isSeq(node)) {
    for (const [index, item] of node.items.entries()) {
      const found = keyAt(item, offset, [...above, String(index)]);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  if (!isMap(node)) return undefined;
  for (const { key, value } of node.items) {
    if (!isScalar(key)) continue;
    const path = [...above, String(key.value).slice(0, MAX_KEY)];
    if (key.range?.[0] === offset) {
      const earlier = node.items.find(({ key: other }) => isScalar(other) && other.value === key.value)?.key;
      const first = isScalar(earlier) ? earlier.range?.[0] : undefined;
      return first === undefined || first === offset ? undefined : { path, first };
    }
    const found = keyAt(value, offset, path);
    if (found !== undefined) return found;
  }
  return undefined;
}
