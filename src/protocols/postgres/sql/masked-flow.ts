import type { Refusal } from '../../../enforcement/operation.ts';
import type { Relation } from './catalog-model.ts';
import type { ColumnUse, OutputItem, StatementFacts } from './facts.ts';

/** A relation of the statement as the catalog knows it, at the index it has in the facts. */
export interface TouchedRelation {
  /** Undefined: the catalog does not know it. */
  readonly relation: Relation | undefined;
  /** Names of its masked columns. */
  readonly masked: ReadonlySet<string>;
}

export interface Flow {
  readonly refusal?: Refusal;
  /** Output items (from 0) in which no masked column stands, as far as positions are certain. */
  readonly safe: readonly number[];
}

const SYSTEM_COLUMNS = new Set(['ctid', 'xmin', 'xmax', 'cmin', 'cmax', 'tableoid']);

/**
 * Decides whether masked data stays where RowDescription can name it.
 *
 * Masked data can only go where it is named: by its column, by a star, or by a whole row. So each of these is refused
 * unless it stands alone in the statement's own result list, where the server says which column it is and the gateway
 * masks it. What decides is only names: nothing is inferred from types or values, and an unqualified name that could
 * be a masked column counts as one.
 *
 * Allowed on purpose: naming a masked column as the target of INSERT or UPDATE, `SET c = excluded.c` (the caller's own
 * value), ON CONFLICT (c) DO NOTHING (it tells no more than the unique violation of a plain INSERT), and a star
 * directly in EXISTS (never evaluated). ON CONFLICT (c) DO UPDATE is refused: it would tell which row holds a guess.
 *
 * @param touched One entry per entry of `facts.relations`.
 */
export function maskedFlow(facts: StatementFacts, touched: readonly TouchedRelation[]): Flow {
  return new FlowCheck(facts, touched).run();
}

class FlowCheck {
  readonly #facts: StatementFacts;
  readonly #touched: readonly TouchedRelation[];
  /** Masked name → the relation it is masked in, for the message. */
  readonly #masked = new Map<string, string>();
  /** Names by which masked rows are spoken of: aliases of masked relations, joins and targets. */
  readonly #maskedAliases = new Set<string>();
  readonly #plainAliases = new Set<string>();

  constructor(facts: StatementFacts, touched: readonly TouchedRelation[]) {
    this.#facts = facts;
    this.#touched = touched;
    for (const { relation, masked } of touched) {
      for (const name of masked) this.#masked.set(name, `${relation?.schema}.${relation?.name}.${name}`);
    }
    for (const [index, use] of facts.relations.entries()) {
      (this.#isMasked(index) ? this.#maskedAliases : this.#plainAliases).add(use.alias);
    }
    for (const { alias, kind } of facts.derived) {
      (kind === 'join' || kind === 'target' ? this.#maskedAliases : this.#plainAliases).add(alias);
    }
  }

  run(): Flow {
    if (this.#masked.size === 0) return { safe: this.#safeItems() };
    const refusal = this.#shape() ?? this.#columns() ?? this.#output();
    return { safe: this.#safeItems(), ...(refusal === undefined ? {} : { refusal }) };
  }

  #isMasked(index: number): boolean {
    return (this.#touched[index]?.masked.size ?? 0) > 0;
  }

  /** Whole shapes that carry masked columns elsewhere. */
  #shape(): Refusal | undefined {
    const { facts } = this;
    const read = facts.relations.some((use, index) => use.role === 'read' && this.#isMasked(index));
    if (facts.copy?.direction === 'out') return this.#refuse(`${this.#first()} is masked for you`, COPY_HINT);
    if (facts.materializes && read) {
      return this.#refuse(`${this.#first()} is masked for you and must not be stored under another name`);
    }
    if (facts.renames !== undefined && facts.kind === 'ddl') {
      return this.#refuse(`${this.#first()} is masked for you, so its table cannot be renamed or moved`);
    }
    if (facts.explain?.analyze === true || facts.explain?.verbose === true) {
      return this.#refuse(`${this.#first()} is masked for you`, 'use EXPLAIN without ANALYZE and VERBOSE');
    }
    if (facts.natural)
      return this.#refuse('NATURAL JOIN may compare a masked column', 'join with ON instead');
    const used = facts.using.find((name) => this.#masked.has(name));
    if (used !== undefined) return this.#alone(used);
    const renamed =
      facts.relations.some((use, index) => use.renamesColumns && this.#isMasked(index)) ||
      facts.derived.some((one) => one.kind === 'join' && one.renamesColumns);
    if (renamed)
      return this.#refuse('columns of a table with masked columns cannot be renamed by an alias list');
    const upsert = facts.upsertColumns.find((name) => name === '*' || name === '' || this.#masked.has(name));
    if (upsert !== undefined) {
      return this.#refuse(
        'ON CONFLICT … DO UPDATE on a masked column would tell which row holds a value',
        UPSERT_HINT,
      );
    }
    return undefined;
  }

  get facts(): StatementFacts {
    return this.#facts;
  }

  #columns(): Refusal | undefined {
    for (const use of this.#facts.columns) {
      const refusal = use.star ? this.#star(use) : this.#column(use);
      if (refusal !== undefined) return refusal;
    }
    return undefined;
  }

  #star(use: ColumnUse): Refusal | undefined {
    if (use.place !== 'value') return undefined;
    const spans = use.path.length === 0 ? this.#spansMasked(use.over) : this.#mayBeMasked(use.path);
    if (!spans) return undefined;
    return this.#refuse(
      `${this.#first()} is masked for you, so * may only stand in the outermost select list`,
      'name the columns that are not masked',
    );
  }

  #column(use: ColumnUse): Refusal | undefined {
    const name = use.path.at(-1) ?? '';
    const qualifier = use.path.slice(0, -1);
    if (
      use.place === 'excluded' &&
      !this.#maskedAliases.has('excluded') &&
      !this.#plainAliases.has('excluded')
    ) {
      return undefined;
    }
    if (qualifier.length === 0) {
      if (this.#maskedAliases.has(name)) return this.#wholeRow(name);
    } else {
      if (!this.#mayBeMasked(qualifier)) return undefined;
      if (!this.#isColumn(qualifier, name)) return this.#wholeRow(qualifier.join('.'));
    }
    return this.#masked.has(name) && use.place !== 'output' ? this.#alone(name) : undefined;
  }

  /** `t.f` where f is no column of t is a call of f with the whole row. */
  #isColumn(qualifier: readonly string[], name: string): boolean {
    if (SYSTEM_COLUMNS.has(name)) return true;
    const owners = this.#owners(qualifier);
    if (owners.length > 0)
      return owners.every((index) => this.#touched[index]?.relation?.columns.has(name) === true);
    return this.#touched.some(({ relation }) => relation?.columns.has(name) === true);
  }

  /** Relations that the qualifier names; none if it stands for a join, a target or something unknown. */
  #owners(qualifier: readonly string[]): number[] {
    const [name, schema] = [qualifier.at(-1), qualifier.at(-2)];
    if (schema === undefined && this.#facts.derived.some((one) => one.alias === name)) return [];
    return this.#facts.relations.flatMap((use, index) =>
      (schema === undefined ? use.alias : use.name) === name ? [index] : [],
    );
  }

  /** Whether a qualifier may mean a masked relation anywhere in the statement; unknown ones (`old`, `new`) may. */
  #mayBeMasked(qualifier: readonly string[]): boolean {
    const [name, schema] = [qualifier.at(-1) ?? '', qualifier.at(-2)];
    if (schema === undefined) return this.#maskedAliases.has(name) || !this.#plainAliases.has(name);
    const named = this.#facts.relations.flatMap((use, index) => (use.name === name ? [index] : []));
    return named.length === 0 || named.some((index) => this.#isMasked(index));
  }

  #spansMasked(over: readonly number[] | undefined): boolean {
    return over === undefined || over.some((index) => this.#isMasked(index));
  }

  /** Sorting, grouping and DISTINCT of the outermost list compare values, also where they name them by position. */
  #output(): Refusal | undefined {
    const output = this.#facts.output;
    if (output === undefined) return undefined;
    const masked = output.items.map((item) => this.#isMaskedItem(item));
    if (!masked.includes(true)) return undefined;
    const comparing = 'and cannot be sorted, grouped or made distinct by';
    if (output.distinct) return this.#refuse(`${this.#first()} is masked for you ${comparing}`);
    const star = output.items.findIndex((item) => item.kind === 'star');
    for (const position of output.positions) {
      const uncertain = star >= 0 && star <= position - 1;
      if (uncertain || masked[position - 1] === true) {
        return this.#refuse(`column ${position} of the result may be masked for you ${comparing}`, SORT_HINT);
      }
    }
    const alias = output.items.find(
      (item, index) => masked[index] && output.sortNames.includes(item.alias ?? ''),
    );
    return alias === undefined ? undefined : this.#alone(alias.path?.at(-1) ?? '');
  }

  #isMaskedItem(item: OutputItem): boolean {
    if (item.kind === 'expression') return false;
    const path = item.path ?? [];
    if (item.kind === 'star') {
      return path.length === 0 ? this.#spansMasked(item.over) : this.#mayBeMasked(path);
    }
    const qualifier = path.slice(0, -1);
    return this.#masked.has(path.at(-1) ?? '') && (qualifier.length === 0 || this.#mayBeMasked(qualifier));
  }

  /** A star shifts all positions after it by an unknown number. */
  #safeItems(): number[] {
    const items = this.#facts.output?.items ?? [];
    const star = items.findIndex((item) => item.kind === 'star');
    const certain = star < 0 ? items : items.slice(0, star);
    return certain.flatMap((item, index) => (this.#isMaskedItem(item) ? [] : [index]));
  }

  #first(): string {
    return `column ${[...this.#masked.values()][0] ?? ''}`;
  }

  #alone(name: string): Refusal {
    const column = this.#masked.get(name) ?? name;
    return this.#refuse(`column ${column} is masked for you and may only stand alone in the select list`);
  }

  #wholeRow(alias: string): Refusal {
    return this.#refuse(
      `"${alias}" is used as a whole row, which holds ${this.#first()}, masked for you`,
      ROW_HINT,
    );
  }

  #refuse(reason: string, hint = 'leave the masked column out, or select it by itself'): Refusal {
    return { code: 'ERR_DENIED', rule: 'masked-column-flow', reason, hint };
  }
}

const COPY_HINT = 'use SELECT: its masked columns are shown masked';
const UPSERT_HINT = 'infer the conflict from a column that is not masked, or use DO NOTHING';
const SORT_HINT = 'sort by a column that is not masked, by its name';
const ROW_HINT = 'name the columns that you need';
