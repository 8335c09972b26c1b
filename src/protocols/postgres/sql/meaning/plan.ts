import type { Pair, PolicyObject, PolicyValue } from '../../../../policy/model.ts';
import type { Catalog } from '../../catalog/model/model.ts';
import type { PostgresRefusal } from '../../refusals.ts';
import type { CopyOptions, StatementFacts, StatementKind, TransactionKind } from '../facts/facts.ts';
import type { NamedChanges } from '../facts/schema-changes.ts';
import type { MaskedRead } from './flow/masked-reads.ts';
import type { MemberStep } from './flow/member-steps.ts';
import type { OutputColumn } from './flow/output-columns.ts';
import type { SchemaEffect } from './flow/schema-effect.ts';
import type { NameChange } from './held-names.ts';
import type { IsMasked } from './lineage.ts';
import type { NameEffects, NameScope, SearchPath } from './name-scope.ts';
import type { PlainOnly } from './plain/value.ts';
import type { FunctionReads } from './results/function-reads.ts';
import type { Settable } from './settings.ts';
import type { ColumnTags } from './written-columns.ts';

/** What a statement is resolved by, beside its facts and the catalog. */
export interface PlanInput extends Settable {
  /** The resource's entity: type `Resource`, its id the name in the configuration. */
  readonly resource: PolicyObject;
  /** Tags of all columns of a relation, sorted. */
  readonly tagsOf: (relation: number) => readonly string[];
  readonly isMasked: IsMasked;
  /** OIDs of types that a Parse message gives its parameters; default none. */
  readonly parameterTypes?: readonly number[];
  /** What names stand for before the statement; goes on behind it. */
  readonly names: NameScope;
  /** The session began in no role but the one that logged in; default false. */
  readonly beganAsItself?: boolean;
  readonly columnTags: ColumnTags;
  /** Whether any column of the resource is masked for the principal; found by asking for every column if not given. */
  readonly masksColumns?: boolean;
  /** The same, or some kind of value that detectors find is. */
  readonly anyMasked?: boolean;
  /** Whether may be asked if a masked column equals something; default of none. @param key As of `columnKey`. */
  readonly mayLookUp?: (key: string) => boolean;
  /**
   * Whether nothing masked is met by steps into documents of a masked column, nor stands behind them; default never.
   *
   * @param key As of `columnKey`.
   */
  readonly clearInto?: (key: string, steps: readonly MemberStep[]) => boolean;
  /** Queries may compute with masks in place of what is masked; default false. */
  readonly computesMasks?: boolean;
  /** It is planned to be told of; default false. */
  readonly explains?: boolean;
  /** What functions in SQL give is found by what they are made of; absent: that is not certain now, and they may give anything. */
  readonly results?: FunctionReads;
  /** Free text is shown in plain columns alone; absent: whatever a statement makes of it. */
  readonly plainOnly?: PlainOnly | undefined;
  /** Whether policy shows what a function of users' gives, whatever that is; default no. */
  readonly reveals?: (fn: PolicyObject) => boolean;
}

/** What one statement would do, in the words of policy, and what its answer may show. */
export interface StatementPlan {
  readonly tag: string;
  readonly kind: StatementKind;
  /** Everything it would do; empty only with `refusal`. */
  readonly pairs: readonly Pair[];
  /** Flat: booleans, strings and sets of strings. */
  readonly context: Readonly<Record<string, PolicyValue>>;
  /** Denied whatever policy says: a masked column would flow where it must not, or the shape is not understood. */
  readonly refusal?: PostgresRefusal;
  /** Where `refusal` would not be if masks stood in place of what is masked: where that is read. */
  readonly maskedReads?: readonly MaskedRead[];
  /** It is prepared or explained, not run. */
  readonly changesNothing: boolean;
  /** It is one INSERT, UPDATE, DELETE or MERGE that is run as it stands there; absent: it is not. */
  readonly changesRows?: true;
  /** A relation with a masked column is involved: rows wait until the RowDescription agrees. */
  readonly touchesMasked: boolean;
  /** It shows how the server goes about a statement with such a relation. */
  readonly explainsMasked?: boolean;
  /**
   * What else EXPLAIN of it asks, in whatever statement: the planner's guesses tell of rows that row security hides, and of how
   * many were hidden.
   */
  readonly explaining?: readonly Pair[];
  /** Output columns, from 0, that may be shown although the server gives no provenance (tableOid 0). */
  readonly safeColumns: 'all' | readonly number[];
  /** How many columns `safeColumns` counts on: if the server gives another number, none is safe. */
  readonly outputColumns?: number;
  /** Output columns, from 0, that are hidden whole, whoever is told where they come from: they have what a sensitive catalog shows. */
  readonly withheld?: 'all' | readonly number[];
  /** Output columns, from 0, that hold definitions of views and rules as the server writes them, or nothing of them. */
  readonly definitions?: readonly number[];
  /** Of each time that it asks whether a masked column equals something: keys of the columns, as of `columnKey`. */
  readonly lookups?: readonly ReadonlySet<string>[];
  /** It reads documents beside their masked members, by constants of its text: with others it might not. */
  readonly stepped?: true;
  /** It is a query, and where its masked columns go was found by what the server itself makes of it. */
  readonly analysed?: true;
  /** What each column of its result is made of, where `explains` asks for it; absent: that is not certain. */
  readonly lineage?: readonly OutputColumn[];
  /**
   * What it names and the catalog does not have, where `explains` asks for it: tables, columns that it lists of others, and the first
   * column, function or type of its expressions.
   */
  readonly lacks?: readonly string[];
  /** OIDs of the relations that it names: a column of any other is none that was judged. */
  readonly relations: readonly number[];
  /** It changes a relation with masked columns, or what is known of one. */
  readonly reshapesMasked: boolean;
  /** What statements of other sessions may mean once it is committed. */
  readonly schemaEffect?: SchemaEffect;
  /** Columns come of a type, by a function in FROM. */
  readonly expandsTypes?: true;
  /** It shows what functions give because of what they are made of: as of this catalog, by this path. */
  readonly clears?: { readonly catalog: Catalog; readonly path: SearchPath };
  /** It holds for the types that its parameters were given, PostgreSQL's own too, and no others. */
  readonly typed?: boolean;
  readonly transaction?: TransactionKind;
  /** Names given, used and taken. An empty string in `deallocates` and `closes` means all. */
  readonly prepares?: string;
  readonly executes?: string;
  readonly deallocates?: string;
  readonly declares?: string;
  readonly fetches?: string;
  readonly closes?: string;
  /** The declared cursor may outlive its transaction. */
  readonly holdable?: boolean;
  readonly copy?: CopyPlan;
  /** What it may do to where names are looked up: see `NameScope`. */
  readonly names: NameEffects & { readonly changes: readonly NameChange[] };
  /** What its unqualified names were resolved to: `[name, OID]`. */
  readonly resolved: readonly (readonly [string, number])[];
  /** It changes the catalog: what follows is judged by what it has become. */
  readonly ddl: boolean;
  /** What it changes there, if it says all of it by name. */
  readonly changes?: NamedChanges;
  /** DISCARD ALL: prepared statements, portals and settings are gone. */
  readonly discardsAll?: boolean;
  readonly setting?: { readonly name: string; readonly value?: string; readonly safe: boolean };
}

export interface CopyPlan {
  readonly direction: 'out' | 'in';
  readonly options: CopyOptions | undefined;
  /** Type OIDs of what is copied of a relation that is known. */
  readonly types?: readonly number[];
}

/** Of a statement that nobody understands, with nothing that it would do: it shows nothing, and may have changed anything. */
export function unreadPlan({ tag, kind }: Pick<StatementFacts, 'tag' | 'kind'>): StatementPlan {
  return {
    tag,
    kind,
    pairs: [],
    context: {},
    changesNothing: false,
    touchesMasked: true,
    safeColumns: [],
    relations: [],
    reshapesMasked: true,
    names: { steers: true, follows: false, reshapes: true, changes: [] },
    resolved: [],
    ddl: true,
  };
}

/** Whether the statement that is written there is not run: PREPARE, EXPLAIN without ANALYZE. */
export function isNotRun({ prepares, explain }: StatementFacts): boolean {
  return prepares !== undefined || explain?.analyze === false;
}

const CHANGE_ROWS: ReadonlySet<string> = new Set(['INSERT', 'UPDATE', 'DELETE', 'MERGE']);

/** Told where it is one INSERT, UPDATE, DELETE or MERGE that is run as it stands there. */
export function rowsChanged(facts: StatementFacts): Pick<StatementPlan, 'changesRows'> {
  const { kind, tag, unsupported, opaque, explain, prepares, executes, copy, call, transaction, declares } =
    facts;
  const others = [unsupported, opaque, explain, prepares, executes, copy, transaction, declares];
  const plain = kind === 'dml' && CHANGE_ROWS.has(tag) && !call;
  return plain && others.every((other) => other === undefined) ? { changesRows: true } : {};
}
