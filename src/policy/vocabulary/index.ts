import { type SchemaJson, schemaToJson } from '@cedar-policy/cedar-wasm/nodejs';
import { once } from '../../core/later.ts';
import type { PolicyObject } from '../model.ts';
import { PRINCIPALS } from './principals.ts';
import type { ContextKind, VerbRow, VocabularyPart, Written } from './row.ts';

/**
 * The closed vocabulary of one gateway's policies, composed of what each part brings: Cedar's schema, groups, and what
 * is known of each verb.
 *
 * Verbs are fixed here; tables, paths and commands are entities with attributes, so that new ones need no new schema. A
 * value: whoever asks is handed one, and two gateways in one process may have different ones.
 */
export class Vocabulary {
  /** Every verb that a request may name, in the order of the parts. Groups are not among them. */
  readonly verbs: readonly VerbRow[];
  /** Verbs whose rows a target counts. */
  readonly counted: readonly string[];
  readonly #rows: ReadonlyMap<string, VerbRow>;
  /** Verbs of each group, those of the groups within it too. The largest first. */
  readonly #groups: ReadonlyMap<string, readonly string[]>;
  readonly #byName: ReadonlySet<string>;
  readonly #attributes: ReadonlyMap<string, Readonly<Record<string, Written>>>;
  readonly #schema: string;
  readonly #parsed: () => SchemaJson<string>;

  /** @throws {Error} The parts do not fit together: a word is there twice, or one is missing. */
  constructor(parts: readonly VocabularyPart[]) {
    this.verbs = allVerbs(parts);
    this.#rows = new Map(this.verbs.map((row) => [row.verb, row]));
    this.counted = this.verbs.filter(({ rows }) => rows === 'counted').map(({ verb }) => verb);
    this.#byName = new Set(
      parts.flatMap(({ byName = {} }) =>
        Object.entries(byName).flatMap(([verb, types]) => types.map((type) => `${verb} ${type}`)),
      ),
    );
    this.#attributes = new Map(parts.flatMap(({ attributes = {} }) => Object.entries(attributes)));
    const parents = parentsOf(parts);
    demandDistinct([...this.#rows.keys(), ...parents.keys()], this.verbs.length + parents.size);
    this.#groups = membersOf(parents, this.verbs);
    this.#schema = schemaOf(parts, parents, this.verbs);
    this.#parsed = once(() => parse(this.#schema));
  }

  /**
   * The schema that policies are validated against, in Cedar's own syntax.
   *
   * @returns The same text for the same parts. Never throws.
   * @see https://docs.cedarpolicy.com/schema/human-readable-schema.html
   */
  cedarSchema(): string {
    return this.#schema;
  }

  /**
   * The schema as Cedar reads it fastest; made once.
   *
   * @throws {Error} It is not one: a part names an entity type that no part declares.
   */
  parsedSchema(): SchemaJson<string> {
    return this.#parsed();
  }

  /** The verbs that a word stands for: itself, a group's verbs, undefined for a word that is neither. Never throws. */
  verbsOf(word: string): readonly string[] | undefined {
    return this.#groups.get(word) ?? (this.#rows.has(word) ? [word] : undefined);
  }

  /** All words that stand for verbs. */
  words(): readonly string[] {
    return [...this.#rows.keys(), ...this.#groups.keys()];
  }

  isGroup(word: string): boolean {
    return this.#groups.has(word);
  }

  /** The shortest way to name these verbs, sorted: a group in the place of all its verbs. Never throws. */
  foldVerbs(verbs: readonly string[]): string[] {
    const left = new Set(verbs);
    const groups: string[] = [];
    for (const [group, members] of this.#groups) {
      if (!members.every((verb) => left.has(verb))) continue;
      groups.push(group);
      for (const verb of members) left.delete(verb);
    }
    return [...groups, ...left].sort();
  }

  /** Facts that a request with this verb carries; undefined: none. Never throws. */
  contextOf(verb: string): ContextKind | undefined {
    return this.#rows.get(verb)?.context;
  }

  /** How values of a fact are written; undefined: in any way. Never throws. */
  writtenAs(fact: string): Written | undefined {
    const kinds = this.verbs.map(({ context }) => context?.written);
    return kinds.find((written) => written !== undefined && Object.hasOwn(written, fact))?.[fact];
  }

  /** How an attribute of entities of all these types is written; undefined: in any way, or of some in another. Never throws. */
  attributeWrittenAs(types: readonly string[], attr: string): Written | undefined {
    const all = new Set(types.map((type) => this.#attributes.get(type)?.[attr]));
    const [only] = all;
    return all.size === 1 ? only : undefined;
  }

  /** Whether evidence may hold the fact in clear, of a request with one of these verbs. Never throws. */
  isRecorded(fact: string, verbs: Iterable<string>): boolean {
    for (const verb of verbs) if (this.contextOf(verb)?.recorded?.includes(fact) === true) return true;
    return false;
  }

  /** Whether doing this to the object may change rows: whether a permit's `@rows` bounds it. Never throws. */
  changesRows(verb: string, object: PolicyObject): boolean {
    const row = this.#rows.get(verb);
    return row?.rows !== undefined && row.rowless?.(object) !== true;
  }

  /** Whether an answer to this may have a limit: whether a permit's `@limit` is about it. Never throws. */
  isLimited(verb: string): boolean {
    return this.#rows.get(verb)?.limited !== undefined;
  }

  /** Whether that may be one of rows. Never throws. */
  limitsRows(verb: string): boolean {
    return this.#rows.get(verb)?.limited === true;
  }

  /** Whether only a permit whose head names the type of the object permits this. Never throws. */
  isByName(verb: string, type: string): boolean {
    return this.#byName.has(`${verb} ${type}`);
  }

  /** Whether every client needs this and changes nobody's data by it: no attenuation takes it away. Never throws. */
  isAlways(verb: string, object: PolicyObject): boolean {
    return this.#rows.get(verb)?.always?.(object) === true;
  }

  /** Whether `--read-only` leaves the verb. An unknown one writes. Never throws. */
  reads(verb: string): boolean {
    return this.#rows.get(verb)?.reads === true;
  }

  /** What it does with data, for whoever sums up: reads, changes, or what only its object and text tell. Never throws. */
  kindOf(verb: string): 'read' | 'change' | 'other' {
    if (this.reads(verb)) return 'read';
    const changes = [...this.#groups].some(([group, verbs]) => CHANGING.test(group) && verbs.includes(verb));
    return changes ? 'change' : 'other';
  }
}

/** Groups of verbs that change what is there. */
const CHANGING = /\.(write|ddl)$/;

/** Rows of all parts, each done to what other parts add to it. */
function allVerbs(parts: readonly VocabularyPart[]): VerbRow[] {
  const rows = parts.flatMap(({ verbs }) => verbs);
  const added = parts.flatMap(({ alsoOn = {} }) => Object.entries(alsoOn));
  for (const [verb] of added) {
    if (!rows.some((row) => row.verb === verb)) throw new Error(`no part of the vocabulary has ${verb}`);
  }
  return rows.map((row) => {
    const more = added.filter(([verb]) => verb === row.verb).flatMap(([, types]) => types);
    return more.length === 0 ? row : { ...row, on: [...row.on, ...more] };
  });
}

function parentsOf(parts: readonly VocabularyPart[]): Map<string, string | undefined> {
  const all = parts.flatMap(({ groups = {} }) => Object.entries(groups));
  const parents = new Map(all);
  demandDistinct([...parents.keys()], all.length);
  return parents;
}

function demandDistinct(words: readonly string[], count: number): void {
  if (new Set(words).size < count) throw new Error(`the vocabulary has a word twice: ${words.join(' ')}`);
}

function membersOf(
  parents: ReadonlyMap<string, string | undefined>,
  verbs: readonly VerbRow[],
): Map<string, readonly string[]> {
  const members = new Map<string, string[]>([...parents.keys()].map((group) => [group, []]));
  for (const { verb, group } of verbs) {
    for (let at = group; at !== undefined; at = parents.get(at)) {
      const found = members.get(at);
      if (found === undefined) throw new Error(`the vocabulary has no group ${at}`);
      found.push(verb);
    }
  }
  const largestFirst = [...members].sort(([, a], [, b]) => b.length - a.length);
  const empty = largestFirst.find(([, list]) => list.length === 0);
  if (empty !== undefined) throw new Error(`the vocabulary has no verb of ${empty[0]}`);
  return new Map(largestFirst);
}

function schemaOf(
  parts: readonly VocabularyPart[],
  parents: ReadonlyMap<string, string | undefined>,
  verbs: readonly VerbRow[],
): string {
  const contexts = new Set(verbs.flatMap(({ context }) => context ?? []));
  return [
    PRINCIPALS,
    ...parts.map(({ entities }) => entities),
    ...(contexts.size === 0 ? [] : [TIME]),
    ...[...contexts].map(contextType),
    ...[...parents].map(([group, parent]) => `action "${group}"${within(parent)};`),
    ...verbs.map(action),
    '',
  ].join('\n');
}

/** Of every context. */
const TIME = `
// When it is asked, in the time zone of the configuration: hour 0 to 23, minute 0 to 59, weekday 1 (Monday) to 7, and
// date "2026-11-30".
type Time = { hour: Long, minute: Long, weekday: Long, date: String };`;

function contextType({ type, facts }: ContextKind): string {
  return `type ${type} = {${facts}
  approvals: Set<String>,
  // An agent acting for a person; both are asked.
  delegated: Bool,
  time: Time
};`;
}

function action({ verb, group, on, context }: VerbRow): string {
  const applies = `principal: [Agent, Person], resource: [${on.join(', ')}], context: ${context?.type ?? '{}'}`;
  return `action "${verb}"${within(group)} appliesTo { ${applies} };`;
}

function within(group: string | undefined): string {
  return group === undefined ? '' : ` in ["${group}"]`;
}

function parse(schema: string): SchemaJson<string> {
  const answer = schemaToJson(schema);
  if (answer.type === 'failure') throw new Error(answer.errors.map(({ message }) => message).join('; '));
  return answer.json;
}
