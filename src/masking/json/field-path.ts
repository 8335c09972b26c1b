import { foldedName } from './folded-name.ts';

/** Members of a document, as the configuration names them: `$.amount`, `$.items[*].sku`, `$..role`. */
export interface FieldPath {
  /** As it was written: what rules call it. */
  readonly text: string;
  readonly steps: readonly Step[];
}

interface Step {
  /** Folded; undefined: any name. */
  readonly name: string | undefined;
  /** Any number of names may come before it. */
  readonly deep: boolean;
}

const STEP = /(\.\.?)([\p{L}\p{N}_$@-]{1,128}|\*)((?:\[\*\])*)/uy;
const MAX_STEPS = 32;

/**
 * Reads a path of names: `.name` a member, `..name` one at any depth, `.*` any member. `[*]` may be written behind a name,
 * and says nothing: every element of an array is looked at.
 *
 * @returns Undefined for what is none.
 */
export function parseFieldPath(text: string): FieldPath | undefined {
  if (!text.startsWith('$')) return undefined;
  const steps: Step[] = [];
  let at = /^\$(?:\[\*\])*/.exec(text)![0].length;
  while (at < text.length) {
    STEP.lastIndex = at;
    const [all = '', dots, name] = STEP.exec(text) ?? [];
    if (all === '' || steps.length === MAX_STEPS) return undefined;
    steps.push({ name: name === '*' ? undefined : foldedName(name!), deep: dots === '..' });
    at += all.length;
  }
  // More than one step of any depth would look at a path again and again.
  return steps.length === 0 || steps.filter(({ deep }) => deep).length > 1 ? undefined : { text, steps };
}

/** Whether a member is one of them. Names are the same in either case, as some servers have it. Linear in the path. */
export function matchesField({ steps }: FieldPath, path: readonly string[]): boolean {
  const deep = steps.findIndex((step) => step.deep);
  const first = deep === -1 ? steps : steps.slice(0, deep);
  const last = deep === -1 ? [] : steps.slice(deep);
  const behind = path.length - last.length;
  if (deep === -1 ? path.length !== steps.length : behind < first.length) return false;
  return all(first, path) && all(last, path.slice(behind));
}

function all(steps: readonly Step[], names: readonly string[]): boolean {
  return steps.every(({ name }, at) => name === undefined || name === foldedName(names[at]!));
}
