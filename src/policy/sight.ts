import type { PolicyJson } from '@cedar-policy/cedar-wasm/nodejs';
import type { PolicyObject, PolicyValue } from './model.ts';
import type { Vocabulary } from './vocabulary/index.ts';

/** What one rule looks at in the object that it is asked about, beside its type, and in the context. */
export interface Sight {
  /** Verbs and groups of its head; undefined: it is about every action. */
  readonly words: readonly string[] | undefined;
  readonly resource: Look;
  readonly context: Look;
}

interface Look {
  /** At all of it: which object it is, what it hangs in. */
  readonly whole: boolean;
  /** Attributes that are read or asked for. */
  readonly attrs: readonly string[];
}

type Variable = 'resource' | 'context';

/**
 * Reads from a rule's tree what it looks at. Whatever is not known to look at less looks at everything.
 *
 * Pure. @param words Of its head, from `action`.
 */
export function sightOf({ resource, conditions }: PolicyJson, words: readonly string[] | undefined): Sight {
  const scoped = resource.op !== 'All' && (resource.op !== 'is' || resource.in !== undefined);
  const seen = {
    resource: { whole: scoped, attrs: new Set<string>() },
    context: { whole: false, attrs: new Set<string>() },
  };
  look(conditions, seen);
  return { words, resource: lookOf(seen.resource), context: lookOf(seen.context) };
}

type Seen = Readonly<Record<Variable, { whole: boolean; readonly attrs: Set<string> }>>;

function lookOf({ whole, attrs }: Seen[Variable]): Look {
  return { whole, attrs: [...attrs] };
}

type Tree = Readonly<Record<string, unknown>>;

function look(node: unknown, seen: Seen): void {
  if (!isTree(node)) return;
  const variable = variableIn(node);
  if (variable !== undefined) {
    seen[variable].whole = true;
    return;
  }
  const [op, ...more] = Object.keys(node);
  if (op !== undefined && more.length === 0 && lessThanWhole(op, node[op], seen)) return;
  for (const child of Object.values(node)) look(child, seen);
}

/** `resource.name`, `resource has name` and `resource is Type` without `in`; of `resource has name.more` the first. */
function lessThanWhole(op: string, operands: unknown, seen: Seen): boolean {
  if (!isTree(operands)) return false;
  const variable = variableIn(operands['left']);
  if (variable === undefined) return false;
  if (op === 'is') return operands['in'] === undefined;
  const first = Array.isArray(operands['attr']) ? operands['attr'][0] : operands['attr'];
  if ((op !== '.' && op !== 'has') || typeof first !== 'string') return false;
  seen[variable].attrs.add(first);
  return true;
}

function isTree(node: unknown): node is Tree {
  return typeof node === 'object' && node !== null;
}

/** The word itself. */
function variableIn(node: unknown): Variable | undefined {
  const name = isTree(node) ? node['Var'] : undefined;
  return name === 'resource' || name === 'context' ? name : undefined;
}

/**
 * Tells objects and contexts apart as far as the rules about one verb do: those of the same outline get the same answer.
 */
export class Outlines {
  readonly #resource: Outliner<PolicyObject>;
  readonly #context: Outliner<Values>;

  /** @param sights Of all rules; undefined: that rule may look at anything. */
  constructor(verb: string, sights: Iterable<Sight | undefined>, vocabulary: Vocabulary) {
    const about = sightsAbout(verb, sights, vocabulary);
    this.#resource = new Outliner(
      about.map((sight) => sight?.resource),
      objectOutline,
    );
    this.#context = new Outliner(
      about.map((sight) => sight?.context),
      valuesOutline,
    );
  }

  object(object: PolicyObject): string {
    return this.#resource.of(object);
  }

  context(context: Values): string {
    return this.#context.of(context);
  }
}

/**
 * Of some facts those that a rule about the verb may look at. Pure.
 *
 * @param sights Of all rules; undefined: that rule may look at anything.
 */
export function factsLookedAt(
  verb: string,
  facts: readonly string[],
  sights: Iterable<Sight | undefined>,
  vocabulary: Vocabulary,
): readonly string[] {
  const looks = sightsAbout(verb, sights, vocabulary).map((sight) => sight?.context);
  return facts.filter((fact) =>
    looks.some((one) => one === undefined || one.whole || one.attrs.includes(fact)),
  );
}

function sightsAbout(
  verb: string,
  sights: Iterable<Sight | undefined>,
  vocabulary: Vocabulary,
): (Sight | undefined)[] {
  return [...sights].filter((sight) => isAbout(verb, sight, vocabulary));
}

/** Whether a rule may ask for the time. @param sight Undefined: it may look at anything. Pure. */
export function looksAtTime(sight: Sight | undefined): boolean {
  return sight === undefined || sight.context.whole || sight.context.attrs.includes('time');
}

/** Whether a rule may be about the verb, by its head. @param sight Undefined: it may be about anything. Pure. */
export function isAbout(verb: string, sight: Sight | undefined, vocabulary: Vocabulary): boolean {
  return sight?.words?.every((word) => !mayMean(word, verb, vocabulary)) !== true;
}

/** A word that the vocabulary does not have may mean anything. */
function mayMean(word: string, verb: string, vocabulary: Vocabulary): boolean {
  return vocabulary.verbsOf(word)?.includes(verb) !== false;
}

type Values = Readonly<Record<string, PolicyValue>>;
type Outline<T> = (value: T, seen: ReadonlySet<string>) => unknown;

class Outliner<T extends object> {
  readonly #whole: boolean;
  readonly #attrs: ReadonlySet<string>;
  readonly #outline: Outline<T>;
  readonly #known = new WeakMap<T, string>();

  /** @param looks Of each rule; undefined: at anything. */
  constructor(looks: readonly (Look | undefined)[], outline: Outline<T>) {
    this.#whole = looks.some((one) => one === undefined || one.whole);
    this.#attrs = new Set(looks.flatMap((one) => one?.attrs ?? []));
    this.#outline = outline;
  }

  of(value: T): string {
    const known = this.#known.get(value);
    if (known !== undefined) return known;
    const outline = JSON.stringify(this.#whole ? value : this.#outline(value, this.#attrs));
    this.#known.set(value, outline);
    return outline;
  }
}

const NONE: ReadonlySet<string> = new Set();

function objectOutline({ type, id, attrs, parent }: PolicyObject, seen: ReadonlySet<string>): unknown[] {
  const above = parent === undefined ? [] : objectOutline(parent, NONE);
  return [type, id.isWellFormed(), valuesOutline(attrs, seen), ...above];
}

/** What is looked at as it is, and of the rest all by which Cedar could find that it does not fit the schema. */
function valuesOutline(values: Values, seen: ReadonlySet<string>): unknown[] {
  return Object.entries(values).map(([name, value]) => [name, seen.has(name) ? value : kindOf(value)]);
}

function kindOf(value: PolicyValue): PolicyValue {
  if (typeof value === 'string') return value.isWellFormed() ? '' : value;
  if (typeof value !== 'object') return value;
  if (Array.isArray(value)) return [...new Set(value.map((one: PolicyValue) => JSON.stringify(kindOf(one))))];
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, kindOf(one)]));
}
