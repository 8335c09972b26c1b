import type { PolicyJson } from '@cedar-policy/cedar-wasm/nodejs';
import type { NotesFault, PolicyNotes } from './annotations.ts';
import type { Vocabulary } from './vocabulary/index.ts';

/** Whether a rule is about any verb of a kind. */
export type IsAbout = (isOfKind: (verb: string) => boolean) => boolean;

/**
 * What Cedar takes for valid, and what would never do what its author believes: annotations on a rule about something else, values
 * that a fact never has.
 *
 * Pure. @returns One fault for each, in the order of the rule. Never throws.
 */
export function slipsOf(
  json: PolicyJson,
  notes: PolicyNotes,
  vocabulary: Vocabulary,
  isAbout: IsAbout,
): NotesFault[] {
  const types = typesOf(json, vocabulary, isAbout);
  return [
    ...misplaced(notes, vocabulary, isAbout),
    ...impossible(json.conditions, vocabulary, types),
    ...neverTogether(json.conditions),
  ];
}

/** Types of what a rule is about: those that it names, else all that its verbs are done to. */
function typesOf({ resource, conditions }: PolicyJson, vocabulary: Vocabulary, isAbout: IsAbout): string[] {
  const named = [
    ...namedTypes({ is: { left: { Var: 'resource' }, ...resource } }),
    ...namedTypes(conditions),
  ];
  if (named.length > 0) return named;
  return vocabulary.verbs.filter(({ verb }) => isAbout((one) => one === verb)).flatMap(({ on }) => on);
}

/** Of `resource is Type`. */
function namedTypes(node: unknown): string[] {
  if (!isTree(node)) return [];
  const { is } = node;
  const type = isTree(is) && isResource(is['left']) ? is['entity_type'] : undefined;
  return [...(typeof type === 'string' ? [type] : []), ...Object.values(node).flatMap(namedTypes)];
}

function isResource(node: unknown): boolean {
  return isTree(node) && node['Var'] === 'resource';
}

/** Annotations that say something of one verb alone. */
const OF_ONE_VERB = [
  ['mask', 'mask', 'reveal', 'says how a value is shown'],
  ['lookups', 'lookups', 'reveal', 'says how often may be asked for a value that is hidden'],
  ['window', 'windowMs', 'connect', 'says how long what was opened may stay open'],
] as const;

function misplaced(notes: PolicyNotes, vocabulary: Vocabulary, isAbout: IsAbout): NotesFault[] {
  const faults: NotesFault[] = [];
  if (notes.rows !== undefined && !isAbout((verb) => vocabulary.counted.includes(verb)))
    faults.push({
      message: '@rows bounds changes of rows, and this permit allows none',
      cure: `put it on a permit of ${vocabulary.counted.slice(0, 2).join(', ')}, …`,
    });
  if (notes.limit !== undefined && !isAbout((verb) => vocabulary.isLimited(verb))) {
    const limited = vocabulary.verbs.flatMap((row) => (row.limited === undefined ? [] : [row.verb]));
    faults.push({
      message: '@limit limits answers, and what this permit allows has none that can be limited',
      cure: `put it on a permit of ${limited.slice(0, 2).join(', ')}, …`,
    });
  } else if (notes.limit?.rows !== undefined && !isAbout((verb) => vocabulary.limitsRows(verb)))
    faults.push({
      message: 'what this permit allows has no rows that @limit could count',
      cure: 'limit bytes and time',
    });
  for (const [name, note, verb, says] of OF_ONE_VERB)
    if (notes[note] !== undefined && !isAbout((one) => one === verb))
      faults.push({
        message: `@${name} ${says}, and this rule forbids no ${verb}`,
        cure: `put it on a forbid of ${verb}, or leave it out`,
      });
  return faults;
}

/** What the clock can show, and how an author is told. */
const CLOCK: Readonly<Record<string, { readonly from: number; readonly to: number; readonly like: string }>> =
  {
    hour: { from: 0, to: 23, like: 'from 0 to 23' },
    minute: { from: 0, to: 59, like: 'from 0 to 59' },
    weekday: { from: 1, to: 7, like: 'from 1 (Monday) to 7 (Sunday)' },
  };
const DATE = { form: /^\d{4}-\d\d-\d\d$/, like: '"2026-12-31"' };

type Tree = Readonly<Record<string, unknown>>;

function impossible(node: unknown, vocabulary: Vocabulary, types: readonly string[]): NotesFault[] {
  if (!isTree(node)) return [];
  const here = Object.entries(node).flatMap(([op, operands]) =>
    isTree(operands) ? compared(op, operands, vocabulary, types) : [],
  );
  return [...here, ...Object.values(node).flatMap((child) => impossible(child, vocabulary, types))];
}

const EQUAL = ['==', '!='];
const ORDERED = ['<', '<=', '>', '>='];
const CONTAINS = ['contains', 'containsAny', 'containsAll'];

function compared(
  op: string,
  { left, right }: Tree,
  vocabulary: Vocabulary,
  types: readonly string[],
): NotesFault[] {
  if (!EQUAL.includes(op) && !ORDERED.includes(op) && !CONTAINS.includes(op)) return [];
  const fact = factOf(left) ?? factOf(right);
  if (fact === undefined) return attributeCompared(left, right, vocabulary, types);
  // A value beyond the last is what an order is asked about: before 24 o'clock.
  const spare = ORDERED.includes(op) ? 1 : 0;
  return [...valuesOf(left), ...valuesOf(right)].flatMap((value) => {
    const like = neverIs(fact, value, spare, vocabulary);
    if (like === undefined) return [];
    return [{ message: `context.${fact} never has ${JSON.stringify(value)}`, cure: `it is ${like}` }];
  });
}

function attributeCompared(
  left: unknown,
  right: unknown,
  vocabulary: Vocabulary,
  types: readonly string[],
): NotesFault[] {
  const attr = attributeOf(left) ?? attributeOf(right);
  const written = attr === undefined ? undefined : vocabulary.attributeWrittenAs(types, attr);
  if (written === undefined) return [];
  const wrong = [...valuesOf(left), ...valuesOf(right)].filter(
    (value) => typeof value === 'string' && value !== '' && !written.form.test(value),
  );
  return wrong.map((value) => ({
    message: `resource.${attr} never is ${JSON.stringify(value)}`,
    cure: `it is written as in ${written.like}`,
  }));
}

/** `kind` of `resource.kind`. */
function attributeOf(node: unknown): string | undefined {
  const member = isTree(node) ? node['.'] : undefined;
  if (!isTree(member) || !isResource(member['left'])) return undefined;
  return typeof member['attr'] === 'string' ? member['attr'] : undefined;
}

/** Comparisons of the clock that exclude each other: the night that is written as if it did not end on the next day. */
function neverTogether(node: unknown): NotesFault[] {
  if (!isTree(node)) return [];
  if (!('&&' in node)) return Object.values(node).flatMap(neverTogether);
  const all = conjuncts(node);
  const bounds = all.flatMap(boundOf);
  const faults = Object.entries(CLOCK).flatMap(([name, { from, to }]): NotesFault[] => {
    const own = bounds.filter(({ fact }) => fact === `time.${name}`);
    for (let value = from; value <= to; value++) if (own.every(({ holds }) => holds(value))) return [];
    const said = own.map(({ said: text }) => text).join(' and ');
    return [{ message: `context.time.${name} never is ${said} at once`, cure: 'between the two write ||' }];
  });
  return [...faults, ...all.flatMap(neverTogether)];
}

function conjuncts(node: unknown): unknown[] {
  const both = isTree(node) ? node['&&'] : undefined;
  return isTree(both) ? [...conjuncts(both['left']), ...conjuncts(both['right'])] : [node];
}

const HOLDS: Readonly<Record<string, (value: number, than: number) => boolean>> = {
  '==': (value, than) => value === than,
  '<': (value, than) => value < than,
  '<=': (value, than) => value <= than,
  '>': (value, than) => value > than,
  '>=': (value, than) => value >= than,
};
const TURNED: Readonly<Record<string, string>> = { '<': '>', '<=': '>=', '>': '<', '>=': '<=' };

interface Bound {
  readonly fact: string;
  readonly said: string;
  holds(value: number): boolean;
}

function boundOf(node: unknown): Bound[] {
  if (!isTree(node)) return [];
  return Object.entries(node).flatMap(([written, operands]): Bound[] => {
    if (!isTree(operands)) return [];
    const { left, right } = operands;
    const fact = factOf(left) ?? factOf(right);
    const [than] = [...valuesOf(left), ...valuesOf(right)];
    const op = factOf(left) === undefined ? (TURNED[written] ?? written) : written;
    const compares = HOLDS[op];
    if (fact === undefined || compares === undefined || typeof than !== 'number') return [];
    return [{ fact, said: `${op} ${than}`, holds: (value) => compares(value, than) }];
  });
}

/** @returns How values of the fact are written; undefined: it may be this one. */
function neverIs(fact: string, value: unknown, spare: number, vocabulary: Vocabulary): string | undefined {
  const clock = fact.startsWith('time.') ? CLOCK[fact.slice('time.'.length)] : undefined;
  if (clock !== undefined && typeof value === 'number')
    return value < clock.from - spare || value > clock.to + spare ? clock.like : undefined;
  const written = fact === 'time.date' ? DATE : vocabulary.writtenAs(fact);
  if (written === undefined || typeof value !== 'string' || written.form.test(value)) return undefined;
  return `written as in ${written.like}`;
}

/** `columns` of `context.columns`, `time.hour` of `context.time.hour`. */
function factOf(node: unknown): string | undefined {
  const member = isTree(node) ? node['.'] : undefined;
  if (!isTree(member) || typeof member['attr'] !== 'string') return undefined;
  const { left, attr } = member;
  if (isTree(left) && left['Var'] === 'context') return attr;
  const above = factOf(left);
  return above === undefined ? undefined : `${above}.${attr}`;
}

function valuesOf(node: unknown): unknown[] {
  if (!isTree(node)) return [];
  if ('Value' in node) return [node['Value']];
  const set = node['Set'];
  return Array.isArray(set) ? set.flatMap(valuesOf) : [];
}

function isTree(node: unknown): node is Tree {
  return typeof node === 'object' && node !== null;
}
