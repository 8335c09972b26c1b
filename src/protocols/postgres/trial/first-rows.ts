import { isDeepStrictEqual } from 'node:util';
import type { FirstRows, ShownValue } from '../../../api/approvals.ts';
import { quotedName } from '../../../core/quoted-name.ts';
import { Query } from '../../../wire/postgres/query.ts';
import { type Catalog, closure, type Relation } from '../catalog/model/model.ts';
import { FIRST_USER_OID } from '../catalog/system/objects.ts';
import type { ParsedSql, RelationUse, StatementFacts } from '../sql/facts/facts.ts';
import type { SearchPath } from '../sql/meaning/name-scope.ts';
import type { StatementPlan } from '../sql/meaning/resolve.ts';
import type { TextRow } from '../target/side-connection.ts';
import { type Conversation, demandOpen, literal } from './conversation.ts';
import { conditionOf, statementMessages } from './counts.ts';
import type { TrialStatement } from './document.ts';
import { notShown } from './question.ts';
import { HIDDEN, type SeenValue, type Sight } from './sight.ts';

const MAX_ROWS = 5;
const MAX_COLUMNS = 50;
/** Octets of one value as it is stored: larger ones are not asked for. */
const STORED_BYTES = 4096;
/** Octets of one answer. */
const ANSWER_BYTES = 1024 * 1024;
const MAX_KEY_CHARS = 1024;
const WRITES: ReadonlySet<string> = new Set(['insert', 'update', 'delete', 'merge']);

/** How the first rows of one statement are found and read. */
export interface RowsPlan {
  readonly relation: Relation;
  /** Of the primary key, in its order. */
  readonly keys: readonly string[];
  /** Keys first. */
  readonly columns: readonly string[];
  /** The statement, and behind it the keys of what it changes. */
  readonly text: string;
  readonly select: StatementPlan;
  /** What it writes may be what is masked for whoever looks. */
  readonly mayCopy: boolean;
}

export interface RowsParts {
  readonly catalog: Catalog;
  readonly sight: Sight;
  readonly parse: (text: string) => Promise<ParsedSql>;
  /** Names of a relation's primary key, in order. */
  readonly keysOf: (relation: number) => Promise<readonly string[]>;
}

/**
 * Settles how the rows that a statement changes can be told apart and read, by one who may read them.
 *
 * @param facts Of the statement, which is one that changes rows.
 * @param runsCode Triggers or functions run when it does.
 * @throws {HoopError} `ERR_UNSUPPORTED` they cannot be shown: why, in words.
 */
export async function planRows(
  trial: TrialStatement,
  facts: StatementFacts,
  runsCode: boolean,
  parts: RowsParts,
): Promise<RowsPlan> {
  const { catalog, sight } = parts;
  const use = facts.relations.find(({ role, counted }) => counted === true && WRITES.has(role));
  const relation = use === undefined ? undefined : relationOf(use, trial.schemas, catalog);
  if (use === undefined || relation === undefined) throw notShown('the table that it changes is not known');
  demandPlainTable(relation, catalog);
  const keys = await parts.keysOf(relation.oid);
  demandKeys(keys, relation, use);
  const columns = columnsOf(relation, keys, catalog);
  const text = await withKeys(trial.statement, facts, use.alias, keys, parts);
  const path = { schemas: trial.schemas, creation: '', user: trial.user };
  const select = await selectPlan(selectText(relation, columns, keys, [keys.map(() => '')]), path, parts);
  const mayCopy = runsCode || sight.plan(facts, path, trial.types).refusal !== undefined;
  return { relation, keys, columns, text, select, mayCopy: mayCopy && sight.masksColumns };
}

function relationOf({ schema, name }: RelationUse, schemas: readonly string[], catalog: Catalog) {
  const path = schema === undefined ? schemas : [schema];
  for (const one of path) {
    const found = catalog.lookupRelation(one, name);
    if (found !== undefined) return found;
  }
  return undefined;
}

function demandPlainTable({ oid, kind, name }: Relation, catalog: Catalog): void {
  if (kind !== 'table' && kind !== 'partitioned') throw notShown(`"${name}" is no table`);
  // A primary key holds for one table, and not for what inherits from it.
  if (kind === 'table' && closure(oid, catalog.children).length > 0)
    throw notShown(`other tables inherit from "${name}"`);
}

function demandKeys(keys: readonly string[], relation: Relation, use: RelationUse): void {
  if (keys.length === 0) throw notShown(`"${relation.name}" has no primary key by which they are told apart`);
  // Comparing them must run nothing that is not PostgreSQL's own.
  const known = keys.every((key) => {
    const type = relation.columns.get(key)?.typeOid;
    return type !== undefined && type < FIRST_USER_OID;
  });
  if (!known) throw notShown("its primary key is of a type of the database's own");
  if (use.role === 'update' && (use.columns ?? keys).some((name) => keys.includes(name)))
    throw notShown('it changes the primary key by which they are told apart');
}

/** Values whose text is made by a function of the database's own are left out: nothing runs that the statement does not. */
function columnsOf(relation: Relation, keys: readonly string[], catalog: Catalog): string[] {
  const others = [...relation.columns.values()].filter(({ name }) => !keys.includes(name));
  const readable = others.filter(({ typeOid }) => catalog.types.shownFunctions(typeOid).length === 0);
  return [...keys, ...readable.map(({ name }) => name)].slice(0, MAX_COLUMNS);
}

/**
 * Puts the keys behind the statement's end, where its own list is or would be.
 *
 * It is that statement only if it is read as it was, with so many items more in its list.
 */
async function withKeys(
  statement: string,
  facts: StatementFacts,
  alias: string,
  keys: readonly string[],
  { parse, catalog }: RowsParts,
): Promise<string> {
  const list = keys.map((key) => `${quotedName(alias)}.${quotedName(key)}`).join(', ');
  const own = facts.output?.items ?? [];
  const text = `${statement.trimEnd().replace(/;$/, '')}\n${own.length === 0 ? 'RETURNING' : ','} ${list}`;
  const parsed = await parse(text).catch(() => undefined);
  const [again, ...others] = parsed?.statements ?? [];
  const items = again?.output?.items ?? [];
  const same =
    again !== undefined &&
    others.length === 0 &&
    again.tag === facts.tag &&
    isDeepStrictEqual(written(again), written(facts)) &&
    isDeepStrictEqual(again.where, facts.where) &&
    isDeepStrictEqual(items.slice(0, own.length), own) &&
    items.length === own.length + keys.length;
  if (!same) throw notShown('its end cannot be told with certainty');
  const since = again.newer?.since ?? 0;
  if (since * 10_000 > catalog.serverVersion)
    throw notShown(`of ${facts.tag} they are only by PostgreSQL ${since}`);
  return text;
}

function written({ relations }: StatementFacts): readonly RelationUse[] {
  return relations.filter(({ role }) => role !== 'read');
}

async function selectPlan(
  text: string,
  path: SearchPath,
  { parse, sight }: RowsParts,
): Promise<StatementPlan> {
  const { statements } = await parse(text);
  const plan = sight.plan(statements[0]!, path);
  if (!sight.mayDo(plan)) throw notShown('no policy lets you read them yourself');
  return plan;
}

/**
 * Does it once more, with the keys of what it changes, reads the first of these rows as they are then, undoes it, and reads
 * them as they were.
 *
 * @throws {HoopError} `ERR_UNSUPPORTED` they cannot be shown; `ERR_TARGET_LOST` there was no time, or they are too large.
 */
export async function firstRows(
  talk: Conversation,
  trial: TrialStatement,
  plan: RowsPlan,
  sight: Sight,
): Promise<FirstRows> {
  const reader = new RowReader(talk, plan, sight);
  await talk.begin(trial);
  await talk.ours('SAVEPOINT hoop');
  const ran = await talk.exchange(statementMessages(trial, plan.text, MAX_ROWS), true, ANSWER_BYTES);
  demandDone(ran);
  demandDone(await talk.checkDeferred());
  const keys = (ran.results[0] ?? []).map((row) => row.slice(-plan.keys.length));
  if (keys.length === 0) throw notShown('the role that does it may not read them');
  if (keys.flat().some((value) => value === null || value.length > MAX_KEY_CHARS))
    throw notShown('their keys are too long');
  const after = await reader.read(keys, plan.columns);
  await talk.ours('ROLLBACK TO SAVEPOINT hoop');
  const before = await reader.read(keys, after.columns);
  await talk.rollback();
  return shownRows(plan, keys, before, after);
}

/** As they are at one moment. */
interface Read {
  /** Without those of which a value is too large. */
  readonly columns: readonly string[];
  /** By key. */
  readonly rows: ReadonlyMap<string, ReadonlyMap<string, SeenValue>>;
}

class RowReader {
  readonly #talk: Conversation;
  readonly #plan: RowsPlan;
  readonly #sight: Sight;

  constructor(talk: Conversation, plan: RowsPlan, sight: Sight) {
    this.#talk = talk;
    this.#plan = plan;
    this.#sight = sight;
  }

  async read(keys: readonly TextRow[], wanted: readonly string[]): Promise<Read> {
    const { relation, keys: names, select } = this.#plan;
    const sizes = await this.#ask(sizesText(relation, wanted, names, keys));
    const [found = []] = sizes.results;
    const columns = wanted.filter((_, at) => Number(found[0]?.[at] ?? 0) <= STORED_BYTES);
    if (names.some((name) => !columns.includes(name))) throw notShown('their keys are too long');
    const { results, columns: described } = await this.#ask(selectText(relation, columns, names, keys));
    const raw = results[0] ?? [];
    const seen = this.#sight.seen(described, raw, select);
    const rows = raw.map((row, at) => {
      const values = columns.map((name, column) => [name, seen[at]![column]!] as const);
      return [keyText(row.slice(0, names.length)), new Map(values)] as const;
    });
    return { columns, rows: new Map(rows) };
  }

  async #ask(sql: string) {
    const answer = await this.#talk.exchange(Query.encode({ sql }), true, ANSWER_BYTES);
    demandDone(answer);
    return answer;
  }
}

function demandDone(answer: Awaited<ReturnType<Conversation['exchange']>>): void {
  if (answer.failure !== undefined)
    throw notShown(`reading them fails: ${conditionOf(answer.failure).reason}`);
  demandOpen(answer);
}

function shownRows(plan: RowsPlan, keys: readonly TextRow[], before: Read, after: Read): FirstRows {
  const { columns } = before;
  const rows = [...new Set(keys.map(keyText))].map((key) => {
    const [was, is] = [before.rows.get(key), after.rows.get(key)];
    return {
      ...(was === undefined ? {} : { before: columns.map((name) => was.get(name)!.shown) }),
      ...(is === undefined
        ? {}
        : { after: columns.map((name) => afterValue(plan, was?.get(name), is.get(name)!)) }),
    };
  });
  const { schema, name } = plan.relation;
  const leftOut = [...plan.relation.columns.keys()].filter((one) => !columns.includes(one));
  return { object: `${schema}.${name}`, columns, rows, leftOut };
}

/** What was written may have come from what is masked: only what stays as it was is certain not to. */
function afterValue({ mayCopy }: RowsPlan, was: SeenValue | undefined, is: SeenValue): ShownValue {
  return mayCopy && is.raw !== null && is.raw !== was?.raw ? HIDDEN : is.shown;
}

function keyText(values: TextRow): string {
  return JSON.stringify(values);
}

function selectText(
  relation: Relation,
  columns: readonly string[],
  keys: readonly string[],
  values: readonly TextRow[],
): string {
  return `SELECT ${columns.map(quotedName).join(', ')} ${fromText(relation, keys, values)}`;
}

function sizesText(
  relation: Relation,
  columns: readonly string[],
  keys: readonly string[],
  values: readonly TextRow[],
): string {
  const sizes = columns.map((name) => `pg_catalog.max(pg_catalog.pg_column_size(${quotedName(name)}))`);
  return `SELECT ${sizes.join(', ')} ${fromText(relation, keys, values)}`;
}

/** Operators and literals mean the same by every path, and under every setting. */
function fromText({ schema, name }: Relation, keys: readonly string[], values: readonly TextRow[]): string {
  const one = (row: TextRow) =>
    keys
      .map((key, at) => `${quotedName(key)} OPERATOR(pg_catalog.=) ${literal(row[at] ?? '')}`)
      .join(' AND ');
  return `FROM ${quotedName(schema)}.${quotedName(name)} WHERE ${values.map((row) => `(${one(row)})`).join(' OR ')}`;
}
