import { type Ast, isAst, unwrap } from './ast.ts';
import { FactsBuilder, FactsLimitError } from './builder.ts';
import type { RelationRole } from './facts.ts';
import { GRAMMAR } from './grammar.ts';
import { newerIn } from './newer-syntax.ts';

/** Deepest nesting of nodes we follow; the server's own stack ends earlier for most shapes. */
const MAX_DEPTH = 6_000;

/** CTE names visible at a place, innermost first. */
export interface CteScope {
  readonly name: string;
  /** Names that its columns have for certain. */
  readonly columns: readonly string[];
  readonly outer: CteScope | undefined;
}

/** In `Place.level`: something in FROM that is no relation, or that a join makes fewer columns of. */
export const NO_RELATION = -1;

/** Where in the statement the walk is. */
export interface Place {
  /** What naming a relation here does to it. */
  readonly role: RelationRole;
  readonly ctes: CteScope | undefined;
  /** Output item of the statement in which we are; outside `ELSEWHERE`, `IN_FROM`. */
  readonly item: number;
  /** Relations of the FROM being read, as indexes into the facts, −1 for what is none: what a bare `*` spans. */
  readonly level: number[];
  /** The query's own result is the statement's result. */
  readonly top: boolean;
  /** In the FROM of the query whose result is the statement's. */
  readonly source: boolean;
  /** Directly the query of EXISTS: its list is not evaluated. */
  readonly exists: boolean;
}

export type Handler = (walk: Walk, body: Ast, place: Place) => void;
type FieldHandler = (value: unknown) => void;

/**
 * Descends a raw parse tree by the grammar table, so that every field of every node is visited.
 *
 * A handler may give its own treatment to named fields; all others are visited as the table says.
 */
export class Walk {
  readonly facts = new FactsBuilder();
  readonly #handlers: ReadonlyMap<string, Handler>;
  #depth = 0;

  constructor(handlers: ReadonlyMap<string, Handler>) {
    this.#handlers = handlers;
  }

  /** Visits a wrapped node, a list of them, or nothing. */
  visit(value: unknown, place: Place): void {
    if (value === undefined || value === null) return;
    if (Array.isArray(value)) {
      for (const entry of value) this.visit(entry, place);
      return;
    }
    if (isAst(value) && Object.keys(value).length === 0) return;
    const node = unwrap(value);
    if (node === undefined) this.facts.refuse('a node of unknown shape');
    else this.typed(node.type, node.body, place);
  }

  /** Visits a node whose type is known. */
  typed(type: string, body: unknown, place: Place): void {
    if (body === undefined) return;
    if (!isAst(body)) return this.facts.refuse(`${type} of unknown shape`);
    if (++this.#depth > MAX_DEPTH) throw new FactsLimitError('nested too deeply');
    const handler = this.#handlers.get(type);
    if (handler === undefined) this.fields(type, body, place);
    else handler(this, body, place);
    this.#depth--;
  }

  /**
   * Visits all fields of a node: first those in `special`, in that order, by their own functions; then the others as the
   * grammar table says.
   */
  fields(type: string, body: Ast, place: Place, special: Readonly<Record<string, FieldHandler>> = {}): void {
    const specs = GRAMMAR.get(type);
    if (specs === undefined) return this.facts.refuse(`unknown node ${type}`);
    for (const one of newerIn(type, body)) this.facts.newerSyntax(one);
    for (const [field, handle] of Object.entries(special)) {
      if (!specs.has(field)) this.facts.refuse(`unknown field ${type}.${field}`);
      if (body[field] !== undefined) handle(body[field]);
    }
    for (const [field, value] of Object.entries(body)) {
      if (Object.hasOwn(special, field)) continue;
      const spec = specs.get(field);
      if (spec === undefined) this.facts.refuse(`unknown field ${type}.${field}`);
      else if (spec.kind === 'nodes') this.visit(value, place);
      else if (spec.kind === 'typed') this.typed(spec.type, value, place);
      else if (typeof value === 'object') this.facts.refuse(`unknown value in ${type}.${field}`);
    }
  }
}

/** The place of a nested query: reads, in its own FROM, whose result is not the statement's. */
export function nested(place: Place, changes: Partial<Place> = {}): Place {
  return { ...place, role: 'read', level: [], top: false, source: false, exists: false, ...changes };
}

/** The CTE that a bare name means here, if it does not mean a relation. */
export function cteNamed(scope: CteScope | undefined, name: string): CteScope | undefined {
  for (let at = scope; at !== undefined; at = at.outer) if (at.name === name) return at;
  return undefined;
}
