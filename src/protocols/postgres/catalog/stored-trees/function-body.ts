import { FIRST_USER_OID } from '../system/objects.ts';
import { isList, isNode, readStoredTree, type StoredNode, type StoredValue, UnreadableTree } from './tree.ts';
import { columnsOfQuery, type Source } from './view-columns.ts';

/** What a function runs whose body is kept as a tree. OIDs, each once or more. */
export interface StoredBody {
  /** Columns that are used anywhere in it, as of a view. */
  readonly sources: readonly Source[];
  readonly relations: readonly number[];
  /** Functions that are called, with the number of arguments that are given. */
  readonly calls: readonly (readonly [fn: number, args: number])[];
  /** Aggregates, window functions, methods of sampling. */
  readonly others: readonly number[];
  /** Of parameters the number, from 1, and the field that is used; 0: it is used as a whole. */
  readonly parameters: readonly (readonly [number: number, field: number])[];
  /** Operators and types that are not PostgreSQL's own. */
  readonly operators: readonly number[];
  readonly types: readonly number[];
}

/** `CmdType` */
const SELECT = '1';
/** `ParamKind` */
const EXTERNAL = '0';
const OTHERS: ReadonlySet<string> = new Set([
  'aggfnoid',
  'winfnoid',
  'tsmhandler',
  'startInRangeFunc',
  'endInRangeFunc',
]);
const OPERATORS: ReadonlySet<string> = new Set(['opno', 'opnos', 'eqop', 'sortop']);
const TYPE = /types?$/i;
/** What is no SELECT, or steps a sequence. */
const DOES_MORE: ReadonlySet<string> = new Set([
  'NEXTVALUEEXPR',
  'CURRENTOFEXPR',
  'MERGEACTION',
  'ONCONFLICTEXPR',
]);

/**
 * Reads the body of a function as SQL has it (`RETURN …`, `BEGIN ATOMIC … END`).
 *
 * @param tree `pg_proc.prosqlbody`, of any version from 14 to 18.
 * @returns Undefined if it does more than to query, or can not be read. Pure.
 */
export function storedBody(tree: string): StoredBody | undefined {
  try {
    const queries = queriesOf(readStoredTree(tree));
    const found: Found = { relations: [], calls: [], others: [], parameters: [], operators: [], types: [] };
    for (const query of queries) collect(query, found);
    const sources = queries.flatMap((query) => {
      const { columns, everywhere } = columnsOfQuery(query);
      return [...columns.flat(), ...everywhere];
    });
    return { sources, ...found };
  } catch (error) {
    if (error instanceof UnreadableTree) return undefined;
    throw error;
  }
}

interface Found {
  readonly relations: number[];
  readonly calls: [number, number][];
  readonly others: number[];
  readonly parameters: [number, number][];
  readonly operators: number[];
  readonly types: number[];
}

/** One query, or lists of queries. */
function queriesOf(value: StoredValue): StoredNode[] {
  if (isList(value)) return value.flatMap(queriesOf);
  if (!isNode(value) || value.tag !== 'QUERY') throw new UnreadableTree('not a query');
  return [value];
}

/** @param field Which of its fields alone is used; 0: all that it is. */
function collect(value: StoredValue, found: Found, field = 0): void {
  if (isList(value)) for (const one of value) collect(one, found);
  if (!isNode(value)) return;
  const { tag, fields } = value;
  const isOther =
    tag === 'QUERY' && (fields.get('commandType') !== SELECT || fields.get('utilityStmt') !== null);
  if (isOther || DOES_MORE.has(tag)) throw new UnreadableTree('not a SELECT');
  if (tag === 'FUNCEXPR') found.calls.push([numberOf(fields.get('funcid')), lengthOf(fields.get('args'))]);
  const parameter = parameterOf(value);
  if (parameter !== undefined) found.parameters.push([parameter, field]);
  const within = tag === 'FIELDSELECT' ? numberOf(fields.get('fieldnum')) : 0;
  for (const [name, one] of fields) {
    if (name === 'relid') found.relations.push(...users(one, 1));
    else if (OTHERS.has(name)) found.others.push(...users(one, 1));
    else if (OPERATORS.has(name)) found.operators.push(...users(one));
    else if (TYPE.test(name)) found.types.push(...users(one));
    collect(one, found, within);
  }
}

/** Numbers in a value that are OIDs, from `least` on. */
function users(value: StoredValue, least = FIRST_USER_OID): number[] {
  const words = isList(value) ? value : [value];
  return words.flatMap((one) => (typeof one === 'string' && Number(one) >= least ? [Number(one)] : []));
}

/** The number of a parameter of the function, if it is one: those of sublinks are columns. */
function parameterOf(value: StoredValue | undefined): number | undefined {
  if (value === undefined || !isNode(value) || value.tag !== 'PARAM') return undefined;
  return value.fields.get('paramkind') === EXTERNAL ? numberOf(value.fields.get('paramid')) : undefined;
}

function numberOf(value: StoredValue | undefined): number {
  const number = typeof value === 'string' ? Number(value) : Number.NaN;
  if (!Number.isSafeInteger(number)) throw new UnreadableTree('a number is missing');
  return number;
}

function lengthOf(value: StoredValue | undefined): number {
  return isList(value) ? value.length : 0;
}
