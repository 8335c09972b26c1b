import type { Relation } from '../../../catalog/model/model.ts';
import { HINTS } from '../../../hints.ts';
import type { PostgresRefusal } from '../../../refusals.ts';
import type { ColumnUse, OutputItem, StatementFacts } from '../../facts/facts.ts';
import type { Sources } from './column-trace.ts';
import type { Untraced } from './taint.ts';

/** A relation of the statement as the catalog knows it, at the index it has in the facts. */
export interface TouchedRelation {
  /** Undefined: the catalog does not know it. */
  readonly relation: Relation | undefined;
  /** Names of its masked columns. */
  readonly masked: ReadonlySet<string>;
}

export interface Flow {
  readonly refusal?: PostgresRefusal;
  /** Output columns (from 0) in which no masked column stands, as far as positions are certain. */
  readonly safe: readonly number[];
  /** How many output columns there are, if that is known: `safe` holds only if the server says so too. */
  readonly columns?: number;
  /** Of each time that it asks whether a masked column equals something: of which column, or columns. */
  readonly lookups?: readonly Sources[];
  /** It reads documents with masked members beside these: by constants of its text. */
  readonly stepped?: true;
  /** It is found by what the server itself makes of the statement. */
  readonly analysed?: true;
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
 * What stands for itself in the result list but came out of what cannot be traced is treated as a masked column.
 *
 * @param touched One entry per entry of `facts.relations`.
 * @param untraced Output items that hold what cannot be traced.
 */
export function maskedFlow(
  facts: StatementFacts,
  touched: readonly TouchedRelation[],
  untraced: Untraced,
): Flow {
  return new FlowCheck(facts, touched, untraced).run();
}

class FlowCheck {
  readonly #facts: StatementFacts;
  readonly #touched: readonly TouchedRelation[];
  /** Masked name → the relation it is masked in, for the message. */
  readonly #masked = new Map<string, string>();
  /** Names by which masked rows are spoken of: aliases of masked relations, joins and targets. */
  readonly #maskedAliases = new Set<string>();
  readonly #plainAliases = new Set<string>();

  readonly #untraced: Untraced;

  constructor(facts: StatementFacts, touched: readonly TouchedRelation[], untraced: Untraced) {
    this.#facts = facts;
    this.#touched = touched;
    this.#untraced = untraced;
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
    const named = this.#masked.size === 0 ? undefined : (this.#shape() ?? this.#columns());
    const refusal = named ?? this.#output();
    return { ...this.#positions(), ...(refusal === undefined ? {} : { refusal }) };
  }

  #isMasked(index: number): boolean {
    return (this.#touched[index]?.masked.size ?? 0) > 0;
  }

  /** Whole shapes that carry masked columns elsewhere. */
  #shape(): PostgresRefusal | undefined {
    const { facts } = this;
    const copied = this.#copied();
    if (copied !== undefined)
      return this.#refuse(
        `column ${this.#masked.get(copied)} is masked for you and cannot be copied`,
        HINTS.copyUnmasked,
      );
    const shown = facts.output?.items.some((item) => this.#isMaskedItem(item)) === true;
    if (facts.materializes && shown) {
      return this.#refuse(`${this.#first()} is masked for you and must not be stored under another name`);
    }
    if (facts.renames !== undefined && facts.kind === 'ddl') {
      return this.#refuse(`${this.#first()} is masked for you, so its table cannot be renamed or moved`);
    }
    if (shown && (facts.explain?.analyze === true || facts.explain?.verbose === true)) {
      return this.#refuse(
        `${this.#first()} is masked for you, and EXPLAIN with ANALYZE or VERBOSE would tell of it`,
        HINTS.explainOnly,
      );
    }
    if (facts.natural && this.#sharesMasked())
      return this.#refuse('NATURAL JOIN may compare a masked column', HINTS.compareUnmasked);
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
        HINTS.conflictUnmasked,
      );
    }
    return undefined;
  }

  /** Whether a masked column may have its like in something else that is joined: of subqueries not all names are known. */
  #sharesMasked(): boolean {
    const others = this.#facts.derived.some(({ kind }) => kind !== 'target' && kind !== 'join');
    return (
      others || this.#touched.some(({ masked }, index) => [...masked].some((name) => this.#also(name, index)))
    );
  }

  #also(name: string, index: number): boolean {
    const own = this.#touched[index]?.relation;
    const alias = this.#facts.relations[index]?.alias;
    return this.#touched.some(({ relation }, other) => {
      if (other === index) return false;
      // One relation is named several times where it plays several roles.
      const same =
        relation !== undefined && relation === own && this.#facts.relations[other]?.alias === alias;
      return !same && (relation === undefined || relation.columns.has(name));
    });
  }

  /** The first masked column of a table that is copied; what stands in COPY (query) is judged as in any query. */
  #copied(): string | undefined {
    const { copy } = this.#facts;
    if (copy?.direction !== 'out' || copy.relation === undefined) return undefined;
    const masked = this.#touched[copy.relation]?.masked ?? new Set();
    return (copy.columns ?? [...masked]).find((name) => masked.has(name));
  }

  get facts(): StatementFacts {
    return this.#facts;
  }

  #columns(): PostgresRefusal | undefined {
    for (const use of this.#facts.columns) {
      const refusal = use.star ? this.#star(use) : this.#column(use);
      if (refusal !== undefined) return refusal;
    }
    return undefined;
  }

  #star(use: ColumnUse): PostgresRefusal | undefined {
    if (use.place !== 'value') return undefined;
    const spans = use.path.length === 0 ? this.#spansMasked(use.over) : this.#mayBeMasked(use.path);
    if (!spans) return undefined;
    return this.#refuse(
      `${this.#first()} is masked for you, so * may only stand in the outermost select list`,
      HINTS.nameUnmasked,
    );
  }

  #column(use: ColumnUse): PostgresRefusal | undefined {
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
      // A column of that name comes first, and the row's own table has one wherever the row is in reach.
      if (this.#maskedAliases.has(name) && !this.#isColumn([name], name)) return this.#wholeRow(name);
    } else {
      if (!this.#mayBeMasked(qualifier)) return undefined;
      if (!this.#isColumn(qualifier, name)) return this.#strange(qualifier.join('.'), name);
    }
    return this.#masked.has(name) && use.place !== 'output' ? this.#alone(name) : undefined;
  }

  /**
   * `t.f` where f is no column of t is a call of f with the whole row. So f must be a column of everything that the
   * statement calls t and that can hold masked data: one of another relation is none of t's.
   */
  #isColumn(qualifier: readonly string[], name: string): boolean {
    if (SYSTEM_COLUMNS.has(name)) return true;
    const has = (index: number) => this.#touched[index]?.relation?.columns.has(name) === true;
    const owners = this.#owners(qualifier);
    return owners.length > 0 && owners.every(({ over, columns }) => over.some(has) || columns.includes(name));
  }

  /** What the qualifier may mean: a relation, or a join or target, which stands for relations. */
  #owners(qualifier: readonly string[]): { over: readonly number[]; columns: readonly string[] }[] {
    const name = qualifier.at(-1);
    const relations = this.#named(qualifier).map((index) => ({ over: [index], columns: [] }));
    if (qualifier.length > 1) return relations;
    const stands = this.#facts.derived.filter(
      ({ alias, kind }) => alias === name && (kind === 'join' || kind === 'target'),
    );
    const joins = stands.map(({ over = [], columns = [] }) => ({ over, columns }));
    if (name !== 'excluded' || joins.length + relations.length > 0) return [...relations, ...joins];
    const targets = this.#facts.relations.flatMap(({ role }, index) => (role === 'insert' ? [index] : []));
    return targets.map((index) => ({ over: [index], columns: [] }));
  }

  /** Relations that the qualifier names by alias, or by schema and name. */
  #named(qualifier: readonly string[]): number[] {
    const [name, schema] = [qualifier.at(-1), qualifier.at(-2)];
    return this.#facts.relations.flatMap((use, index) => {
      if (schema === undefined) return use.alias === name ? [index] : [];
      const relation = this.#touched[index]?.relation;
      const same = use.name === name && (relation === undefined || relation.schema === schema);
      return same ? [index] : [];
    });
  }

  /** Whether a qualifier may mean a masked relation anywhere in the statement; unknown ones (`old`, `new`) may. */
  #mayBeMasked(qualifier: readonly string[]): boolean {
    const [name, schema] = [qualifier.at(-1) ?? '', qualifier.at(-2)];
    if (schema === undefined) return this.#maskedAliases.has(name) || !this.#plainAliases.has(name);
    const named = this.#named(qualifier);
    return named.length === 0 || named.some((index) => this.#isMasked(index));
  }

  #spansMasked(over: readonly number[] | undefined): boolean {
    return over === undefined || over.some((index) => this.#isMasked(index));
  }

  /** Sorting, grouping and DISTINCT of the outermost list compare values, also where they name them by position. */
  #output(): PostgresRefusal | undefined {
    const output = this.#facts.output;
    if (output === undefined) return undefined;
    const masked = output.items.map(
      (item, index) => this.#untraced.uncompared.has(index) || this.#isMaskedItem(item),
    );
    if (!masked.includes(true)) return undefined;
    const comparing = 'and cannot be sorted, grouped or made distinct by';
    if (output.distinct)
      return this.#refuse(`${this.#first()} is masked for you ${comparing}`, HINTS.sortUnmasked);
    const star = output.items.findIndex((item) => item.kind === 'star');
    for (const position of output.positions) {
      const uncertain = star >= 0 && star <= position - 1;
      if (uncertain || masked[position - 1] === true) {
        return this.#refuse(
          `column ${position} of the result may be masked for you ${comparing}`,
          HINTS.sortUnmasked,
        );
      }
    }
    const alias = output.items.find(
      (item, index) => masked[index] && output.sortNames.includes(item.alias ?? ''),
    );
    return alias === undefined ? undefined : this.#alone(alias.path?.at(-1) ?? alias.alias ?? '');
  }

  #isHidden(item: number): boolean {
    const { hidden } = this.#untraced;
    return hidden === 'all' || hidden.has(item);
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

  /** A star shifts what comes after it by as many columns as its relations have, if these are known. */
  #positions(): Pick<Flow, 'safe' | 'columns'> {
    const safe: number[] = [];
    let columns = 0;
    for (const [index, item] of (this.#facts.output?.items ?? []).entries()) {
      const width = item.kind === 'star' ? this.#width(item) : 1;
      if (width === undefined) return { safe };
      if (item.kind !== 'star' && !this.#isHidden(index) && !this.#isMaskedItem(item)) safe.push(columns);
      columns += width;
    }
    return this.#facts.output === undefined ? { safe } : { safe, columns };
  }

  /** How many columns a star stands for; undefined where it spans more than known relations. */
  #width({ path = [], over = [] }: OutputItem): number | undefined {
    const spanned = path.length === 0 ? over : this.#only(path);
    const widths = spanned.map((index) => this.#touched[index]?.relation?.columns.size);
    if (widths.length === 0 || widths.includes(undefined)) return undefined;
    return widths.reduce<number>((sum, width) => sum + (width ?? 0), 0);
  }

  /** The one relation that a star's qualifier can mean. */
  #only(qualifier: readonly string[]): number[] {
    if (qualifier.length === 1 && this.#facts.derived.some(({ alias }) => alias === qualifier[0])) return [];
    const named = this.#named(qualifier);
    const oids = new Set(named.map((index) => this.#touched[index]?.relation?.oid));
    return oids.size === 1 ? named.slice(0, 1) : [];
  }

  #first(): string {
    const [first] = this.#masked.values();
    return first === undefined ? 'what a function of unknown source gives' : `column ${first}`;
  }

  #alone(name: string): PostgresRefusal {
    const column = this.#masked.get(name) ?? name;
    const refusal = this.#refuse(
      `column ${column} is masked for you and may only stand alone in the select list`,
    );
    return { ...refusal, leaveOut: [column] };
  }

  #strange(alias: string, name: string): PostgresRefusal {
    return this.#refuse(
      `"${alias}" has no column "${name}", which would then be a function of its whole row; that holds ${this.#first()}, masked for you`,
      HINTS.nameThere,
    );
  }

  #wholeRow(alias: string): PostgresRefusal {
    return this.#refuse(
      `"${alias}" is used as a whole row, which holds ${this.#first()}, masked for you`,
      HINTS.nameNeeded,
    );
  }

  #refuse(reason: string, hint: string = HINTS.leaveOutOrAlone): PostgresRefusal {
    return { code: 'ERR_DENIED', rule: 'masked-column-flow', reason, hint };
  }
}
