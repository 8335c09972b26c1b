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
  return [...misplaced(notes, vocabulary, isAbout), ...impossible(json.conditions, vocabulary)];
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

function impossible(node: unknown, vocabulary: Vocabulary): NotesFault[] {
  if (!isTree(node)) return [];
  const here = Object.entries(node).flatMap(([op, operands]) =>
    isTree(operands) ? compared(op, operands, vocabulary) : [],
  );
  return [...here, ...Object.values(node).flatMap((child) => impossible(child, vocabulary))];
}

const EQUAL = ['==', '!='];
const ORDERED = ['<', '<=', '>', '>='];
const CONTAINS = ['contains', 'containsAny', 'containsAll'];

function compared(op: string, { left, right }: Tree, vocabulary: Vocabulary): NotesFault[] {
  if (!EQUAL.includes(op) && !ORDERED.includes(op) && !CONTAINS.includes(op)) return [];
  const fact = factOf(left) ?? factOf(right);
  if (fact === undefined) return [];
  // A value beyond the last is what an order is asked about: before 24 o'clock.
  const spare = ORDERED.includes(op) ? 1 : 0;
  return [...valuesOf(left), ...valuesOf(right)].flatMap((value) => {
    const like = neverIs(fact, value, spare, vocabulary);
    if (like === undefined) return [];
    return [{ message: `context.${fact} never has ${JSON.stringify(value)}`, cure: `it is ${like}` }];
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
