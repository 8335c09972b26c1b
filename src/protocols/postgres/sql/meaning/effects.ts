import {
  type Catalog,
  closure,
  type Dependencies,
  type Relation,
  type Trigger,
} from '../../catalog/model/model.ts';
import { isSystemSchema, ROWS } from '../../catalog/system/objects.ts';
import { type ResolvedFunction, resolveOid } from './functions.ts';

export type Write = 'insert' | 'update' | 'delete' | 'truncate';

/** What the server does by itself because of a statement. */
export interface Effects {
  /**
   * @param counted Its rows are those of the statement itself.
   * @param through As a pair's; undefined: the statement.
   */
  relation(relation: Relation, action: 'read' | Write, counted: boolean, through?: string): void;
  /** Columns of a relation are given values; undefined: any of them. */
  columns(relation: Relation, columns: ReadonlySet<string> | undefined, given: Given): void;
  /** @param through As of `relation`. */
  function(use: ResolvedFunction, through?: string): void;
  /** A rewrite rule stands on the relation: what runs is not what was written. */
  rule(relation: Relation): void;
}

/** What of a row is new where it is written. */
export interface Given {
  readonly action: Write;
  /** Names of the columns that get new values for certain; undefined: any may. */
  readonly columns: ReadonlySet<string> | undefined;
  /** Numbers of the columns by which the view, through which it is written, chooses its rows. */
  readonly chosenBy: readonly number[];
}

/** What is written of a relation. */
export interface Written {
  /** Names of the columns, if they are known; undefined means any. */
  readonly columns: ReadonlySet<string> | undefined;
  /** False after `ONLY`. */
  readonly inherits?: boolean;
  /** As for `Effects.relation`. */
  readonly counted: boolean;
  /** Default: `columns`, and no view. */
  readonly given?: Pick<Given, 'columns' | 'chosenBy'>;
}

const STORED = 'a default, check or index of';

/** Most inheritance children named one by one; more are covered by their parent. */
const MAX_CHILDREN = 64;

/**
 * Follows a statement's reads and writes to everything the server adds by itself: views and what they stand on, row
 * policies, triggers, defaults, checks, index expressions, foreign key actions.
 */
export class EffectWalk {
  readonly #catalog: Catalog;
  readonly #effects: Effects;
  readonly #done = new Set<string>();
  /** What is being followed. */
  #through: string | undefined;

  constructor(catalog: Catalog, effects: Effects) {
    this.#catalog = catalog;
    this.#effects = effects;
  }

  /** A relation's rows are read. */
  read(relation: Relation, inherits: boolean): void {
    if (!this.#first(`read${relation.oid}`)) return;
    this.#effects.relation(relation, 'read', false, this.#through);
    this.#uses(this.#catalog.policyDependencies.get(relation.oid), 'a row policy of', relation);
    if (inherits && relation.kind === 'table') this.#children(relation);
    // What PostgreSQL's own views do is what they are for; policy names them.
    if (!isSystemSchema(relation.schema))
      this.#uses(this.#catalog.views.get(relation.oid), 'the view', relation);
  }

  /** A relation's rows are written. */
  write(relation: Relation, action: Write, written: Written): void {
    const { columns, inherits = true, counted, given = { columns, chosenBy: [] } } = written;
    const which = [columns, given.columns].map((some) =>
      some === undefined ? '*' : [...some].sort().join(),
    );
    const by = `(${which.join(')(')})(${given.chosenBy.join()})`;
    if (!this.#first(`${action}${relation.oid}${counted ? '#' : ''}${by}`)) return;
    this.#effects.relation(relation, action, counted, this.#through);
    if (action === 'insert' || action === 'update')
      this.#effects.columns(relation, columns, { action, ...given });
    if (this.#catalog.rules.has(relation.oid)) this.#effects.rule(relation);
    this.#uses(this.#catalog.policyDependencies.get(relation.oid), 'a row policy of', relation);
    const family = [relation.oid, ...closure(relation.oid, this.#catalog.children)];
    for (const oid of family) {
      for (const trigger of this.#catalog.triggers.get(oid) ?? []) {
        const moves = action === 'update' && relation.kind === 'partitioned' && oid !== relation.oid;
        if (fires(trigger, action) || (moves && firesAtMoves(trigger)))
          this.#by('a trigger on', oid, () => this.#functions(trigger.functions));
      }
      if (action === 'insert' || action === 'update')
        this.#uses(this.#catalog.writeDependencies.get(oid), STORED, oid);
    }
    if (relation.kind === 'view') return this.#base(relation, action, counted, given.columns);
    for (const oid of family) this.#foreignKeys(oid, action, columns);
    if (inherits && relation.kind === 'table' && action !== 'insert')
      this.#writtenChildren(relation, action, { columns, counted });
  }

  /** VACUUM, ANALYZE, CLUSTER, REINDEX, REFRESH and ALTER may evaluate what is stored of a relation for all its rows. */
  maintain(relation: Relation): void {
    for (const oid of [relation.oid, ...closure(relation.oid, this.#catalog.children)]) {
      this.#uses(this.#catalog.writeDependencies.get(oid), STORED, oid);
      this.#uses(this.#catalog.statistics.get(oid), 'statistics of', oid);
    }
  }

  /** Event triggers. */
  changesSchema(): void {
    this.#by('an event trigger', undefined, () => this.#functions(this.#catalog.eventTriggers));
  }

  /** Rows of tables that inherit are rows of this one; partitions are covered by their parent. */
  #writtenChildren(relation: Relation, action: Write, written: Written): void {
    const children = this.#catalog.children.get(relation.oid) ?? [];
    if (children.length > MAX_CHILDREN) return;
    this.#by('inheritance from', relation, () => {
      for (const oid of children) {
        const child = this.#catalog.relations.get(oid);
        if (child !== undefined) this.write(child, action, written);
      }
    });
  }

  /** TRUNCATE … CASCADE empties every table that refers to it. */
  truncateCascade(relation: Relation): void {
    this.write(relation, 'truncate', { columns: undefined, counted: false });
    for (const key of this.#catalog.foreignKeys.get(relation.oid) ?? []) {
      const referencing = this.#catalog.relations.get(key.referencing);
      if (referencing !== undefined && !this.#done.has(`truncate${referencing.oid}(*)(*)()`))
        this.#by('a foreign key to', relation, () => this.truncateCascade(referencing));
    }
  }

  #first(key: string): boolean {
    if (this.#done.has(key)) return false;
    this.#done.add(key);
    return true;
  }

  #uses(dependencies: Dependencies | undefined, what: string, of: Relation | number): void {
    if (dependencies === undefined) return;
    this.#by(what, of, () => {
      this.#functions(dependencies.functions);
      for (const oid of dependencies.relations) {
        const relation = this.#catalog.relations.get(oid);
        if (relation !== undefined) this.read(relation, true);
      }
    });
  }

  /** @param what Ends before the name of the relation that has it. @param of Undefined: none has. */
  #by(what: string, of: Relation | number | undefined, follow: () => void): void {
    const before = this.#through;
    const relation = typeof of === 'number' ? this.#catalog.relations.get(of) : of;
    if (relation !== undefined) this.#through = `${what} ${relation.schema}.${relation.name}`;
    else if (of === undefined) this.#through = what;
    follow();
    this.#through = before;
  }

  #functions(oids: Iterable<number>): void {
    for (const oid of oids) this.#function(oid);
  }

  #function(oid: number): void {
    const known = this.#catalog.functions.get(oid);
    const resolved = resolveOid(oid, this.#catalog);
    if (resolved !== undefined && known?.trusted !== true) this.#effects.function(resolved, this.#through);
  }

  #children(relation: Relation): void {
    const children = closure(relation.oid, this.#catalog.children);
    if (children.length > MAX_CHILDREN) return;
    this.#by('inheritance from', relation, () => {
      for (const oid of children) {
        const child = this.#catalog.relations.get(oid);
        if (child !== undefined) this.read(child, false);
      }
    });
  }

  /**
   * Writing a simple view writes the tables it is made of, and evaluates its query. Which of the columns that it uses is not
   * known.
   */
  #base(view: Relation, action: Write, counted: boolean, given: Given['columns']): void {
    this.#by('the view', view, () => this.#behind(view, action, counted, given));
  }

  #behind(view: Relation, action: Write, counted: boolean, given: Given['columns']): void {
    this.#functions(this.#catalog.views.get(view.oid)?.functions ?? []);
    for (const oid of this.#catalog.views.get(view.oid)?.relations ?? []) {
      const base = this.#catalog.relations.get(oid);
      if (base !== undefined && base.oid !== view.oid)
        this.write(base, action, {
          columns: this.#usedBy(view, base),
          counted,
          given: { columns: this.#givenBy(view, base, given), chosenBy: this.#chosenBy(view, base) },
        });
    }
  }

  /** Columns of a table that a view hands on under those names. */
  #givenBy(view: Relation, base: Relation, given: Given['columns']): Given['columns'] {
    if (given === undefined || !this.#catalog.viewColumns.has(view.oid)) return undefined;
    const numbers = [...given].map((name) => view.columns.get(name)?.attnum);
    const derived = this.#catalog.derived.get(base.oid) ?? [];
    const from = derived.filter(
      ({ relation, attribute }) =>
        relation === view.oid && attribute !== undefined && numbers.includes(attribute),
    );
    const isWhole = numbers.includes(undefined) || from.some((one) => one.from === undefined);
    return isWhole
      ? undefined
      : namesOf(
          base,
          from.map((one) => one.from),
        );
  }

  #chosenBy(view: Relation, base: Relation): number[] {
    const everywhere = this.#catalog.viewColumns.get(view.oid)?.everywhere ?? [];
    return everywhere.flatMap(([relation, from]) => (relation === base.oid && from >= 0 ? [from] : []));
  }

  #usedBy(view: Relation, base: Relation): ReadonlySet<string> | undefined {
    const derived = this.#catalog.derived.get(base.oid) ?? [];
    const used = derived.filter(({ relation, from }) => relation === view.oid && from !== ROWS);
    const numbers = used.map(({ from }) => from);
    return numbers.length === 0 || numbers.includes(undefined) ? undefined : namesOf(base, numbers);
  }

  #foreignKeys(oid: number, action: Write, columns?: ReadonlySet<string>): void {
    const relation = this.#catalog.relations.get(oid);
    for (const key of this.#catalog.foreignKeys.get(oid) ?? []) {
      const does = action === 'delete' ? key.onDelete : action === 'update' ? key.onUpdate : undefined;
      const referencing = this.#catalog.relations.get(key.referencing);
      if (does === undefined || referencing === undefined) continue;
      if (action === 'update' && relation !== undefined && !touchesKey(relation, key.keys, columns)) continue;
      const own = does === 'update' ? namesOf(referencing, key.columns) : undefined;
      this.#by('a foreign key to', oid, () =>
        this.write(referencing, does, { columns: own, counted: false }),
      );
    }
  }
}

function fires(trigger: Trigger, action: Write): boolean {
  const { onInsert, onUpdate, onDelete, onTruncate } = trigger;
  return { insert: onInsert, update: onUpdate, delete: onDelete, truncate: onTruncate }[action];
}

/** An UPDATE may move a row to another partition: it is deleted here and inserted there. */
function firesAtMoves({ onInsert, onDelete }: Trigger): boolean {
  return onInsert || onDelete;
}

function namesOf(relation: Relation, numbers: readonly (number | undefined)[]): ReadonlySet<string> {
  const columns = [...relation.columns.values()].filter(({ attnum }) => numbers.includes(attnum));
  return new Set(columns.map(({ name }) => name));
}

function touchesKey(relation: Relation, keys: readonly number[], columns?: ReadonlySet<string>): boolean {
  if (columns === undefined) return true;
  // A generated key changes with any column.
  const own = [...relation.columns.values()];
  if (own.some(({ attnum, generated }) => generated && keys.includes(attnum))) return true;
  return [...columns].some((name) => keys.includes(relation.columns.get(name)?.attnum ?? 0));
}
