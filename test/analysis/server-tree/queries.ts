import type {
  Cte,
  Expr,
  JoinNode,
  MergeAction,
  OnConflict,
  Query,
  RangeColumn,
  RangeEntry,
  Sample,
  SetOperation,
  SortGroup,
  TargetEntry,
  Window,
} from '../../../src/protocols/postgres/sql/analysis/tree.ts';
import { EXPRESSIONS, type Reader } from './expressions.ts';
import { type Fields, readPrinted, UnknownTree } from './fields.ts';
import { raised } from './levels.ts';

/** `CmdType` */
const COMMANDS = ['unknown', 'select', 'update', 'insert', 'delete', 'merge', 'utility', 'nothing'] as const;
/** `RTEKind`; 18 adds the columns of a grouped query as an entry of their own. */
const ENTRIES = [
  'relation',
  'subquery',
  'join',
  'function',
  'tablefunc',
  'values',
  'cte',
  'namedtuplestore',
  'result',
  'group',
] as const;
const OPERATIONS = ['none', 'union', 'intersect', 'except'] as const;
const ACTIONS = ['none', 'nothing', 'update', 'select'] as const;

/** What columns of the group's entry stand for. */
interface Grouped {
  readonly entry: number;
  readonly exprs: readonly Expr[];
}

/**
 * Reads the query that `debug_print_parse` prints, as our own analysis gives it.
 *
 * What versions write in different ways comes out as one, here and nowhere else:
 * - from 18 on an expression that is grouped by is a column of an entry behind all others (`RTE_GROUP`). Before it stood
 *   where it was used, and so it does here.
 * - 15 and 16 keep the condition of MERGE as the WHERE of the query, 17 apart from it.
 *
 * @param arrayOf Array type of an element type.
 * @returns `undefined` of a utility statement.
 * @throws {UnknownTree}
 */
export function readQuery(printed: string, arrayOf: (type: number) => number): Query | undefined {
  const node = readPrinted(printed);
  if (node.tag !== 'QUERY') throw new UnknownTree(node.tag);
  if (COMMANDS[node.number('commandType')] !== 'utility')
    return new QueryReader(arrayOf, undefined).read(node);
  return undefined;
}

/** Reads one query; those in it have readers of their own. */
class QueryReader implements Reader {
  readonly arrayOf: (type: number) => number;
  readonly #outer: QueryReader | undefined;
  #grouped: Grouped | undefined;

  constructor(arrayOf: (type: number) => number, outer: QueryReader | undefined) {
    this.arrayOf = arrayOf;
    this.#outer = outer;
  }

  read(node: Fields): Query {
    const command = COMMANDS[node.number('commandType')];
    if (command === undefined || command === 'unknown' || command === 'utility' || command === 'nothing')
      throw new UnknownTree(`a query that is ${command}`);
    const entries = this.#entries(node.nodes('rtable'));
    const jointree = node.node('jointree');
    const where = this.maybe(jointree?.node('quals'));
    const keepsCondition = node.has('mergeJoinCondition');
    return {
      command,
      target: node.number('resultRelation'),
      entries,
      ctes: node.nodes('cteList').map((cte) => this.#cte(cte)),
      from: (jointree?.nodes('fromlist') ?? []).map((one) => this.#join(one)),
      where: command === 'merge' && !keepsCondition ? undefined : where,
      targets: this.targets(node.nodes('targetList')),
      returning: this.targets(node.nodes('returningList')),
      group: this.groups(node.nodes('groupClause')),
      groupingSets: node.list('groupingSets').length > 0,
      having: this.maybe(node.node('havingQual')),
      windows: node.nodes('windowClause').map((one) => this.#window(one)),
      distinct: this.groups(node.nodes('distinctClause')),
      sort: this.groups(node.nodes('sortClause')),
      offset: this.maybe(node.node('limitOffset')),
      limit: this.maybe(node.node('limitCount')),
      set: this.#setOperation(node.node('setOperations')),
      onConflict: this.#onConflict(node.node('onConflict')),
      merge: node.nodes('mergeActionList').map((one) => this.#mergeAction(one)),
      mergeCondition: keepsCondition
        ? this.maybe(node.node('mergeJoinCondition'))
        : command === 'merge'
          ? where
          : undefined,
    };
  }

  expr(node: Fields): Expr {
    const read = EXPRESSIONS[node.tag];
    if (read === undefined) throw new UnknownTree(node.tag);
    return read(node, this);
  }

  maybe(node: Fields | undefined): Expr | undefined {
    return node === undefined ? undefined : this.expr(node);
  }

  exprs(nodes: readonly Fields[]): Expr[] {
    return nodes.map((node) => this.expr(node));
  }

  query(node: Fields): Query {
    return new QueryReader(this.arrayOf, this).read(node);
  }

  targets(nodes: readonly Fields[]): TargetEntry[] {
    return nodes.map((node) => ({
      expr: this.expr(node.node('expr')!),
      number: node.number('resno'),
      name: node.name('resname'),
      junk: node.flag('resjunk'),
      ref: node.number('ressortgroupref'),
    }));
  }

  groups(nodes: readonly Fields[]): SortGroup[] {
    return nodes.map((node) => ({
      ref: node.number('tleSortGroupRef'),
      equals: node.number('eqop'),
      sorts: node.number('sortop'),
    }));
  }

  grouped(levelsUp: number, entry: number, attribute: number): Expr | undefined {
    let reader: QueryReader | undefined = this;
    for (let level = 0; level < levelsUp && reader !== undefined; level++) reader = reader.#outer;
    const grouped = reader === undefined ? undefined : reader.#grouped;
    if (grouped === undefined || grouped.entry !== entry) return undefined;
    const expr = grouped.exprs[attribute - 1];
    if (expr === undefined) throw new UnknownTree('a column that is not grouped by');
    return raised(expr, levelsUp);
  }

  #entries(nodes: readonly Fields[]): RangeEntry[] {
    const entries: RangeEntry[] = [];
    for (const [index, node] of nodes.entries()) {
      if (ENTRIES[node.number('rtekind')] !== 'group') entries.push(this.#entry(node));
      else this.#grouped = { entry: index + 1, exprs: this.exprs(node.nodes('groupexprs')) };
    }
    return entries;
  }

  #entry(node: Fields): RangeEntry {
    const names = node.node('eref')!;
    const entry = {
      alias: names.word('aliasname'),
      lateral: node.flag('lateral'),
      // The server keeps names alone; what types there are, variables say.
      columns: names.names('colnames').map((name) => (name === '' ? undefined : column(name))),
    };
    const kind = ENTRIES[node.number('rtekind')];
    switch (kind) {
      case 'relation':
        return { ...entry, kind, relation: node.number('relid'), ...this.#sample(node.node('tablesample')) };
      case 'subquery':
        return { ...entry, kind, query: this.query(node.node('subquery')!) };
      case 'join':
        return {
          ...entry,
          kind,
          merged: node.number('joinmergedcols'),
          aliasVars: this.exprs(node.nodes('joinaliasvars')),
        };
      case 'function':
        return {
          ...entry,
          kind,
          functions: node.nodes('functions').map((one) => this.expr(one.node('funcexpr')!)),
          ordinality: node.flag('funcordinality'),
        };
      case 'tablefunc':
        return { ...entry, kind, exprs: this.#tableFunction(node.node('tablefunc')!) };
      case 'values':
        return { ...entry, kind, rows: node.rows('values_lists').map((row) => this.exprs(row)) };
      case 'cte':
        return {
          ...entry,
          kind,
          cte: node.word('ctename'),
          levelsUp: node.number('ctelevelsup'),
          selfReference: node.flag('self_reference'),
        };
      case 'namedtuplestore':
      case 'result':
        return { ...entry, kind };
      default:
        throw new UnknownTree(`an entry that is ${kind}`);
    }
  }

  #sample(node: Fields | undefined): { readonly sample?: Sample } {
    if (node === undefined) return {};
    const repeatable = this.maybe(node.node('repeatable'));
    return {
      sample: { function: node.number('tsmhandler'), args: this.exprs(node.nodes('args')), repeatable },
    };
  }

  #tableFunction(node: Fields): (Expr | undefined)[] {
    const lists = ['ns_uris', 'colexprs', 'coldefexprs', 'colvalexprs', 'passingvalexprs'];
    return [
      this.maybe(node.node('docexpr')),
      this.maybe(node.node('rowexpr')),
      ...lists.flatMap((name) => (node.has(name) ? node.list(name).map((one) => this.maybe(one)) : [])),
    ];
  }

  #join(node: Fields): JoinNode {
    if (node.tag === 'RANGETBLREF') return { kind: 'RangeTblRef', entry: node.number('rtindex') };
    if (node.tag !== 'JOINEXPR') throw new UnknownTree(node.tag);
    return {
      kind: 'JoinExpr',
      entry: node.number('rtindex'),
      left: this.#join(node.node('larg')!),
      right: this.#join(node.node('rarg')!),
      quals: this.maybe(node.node('quals')),
    };
  }

  #cte(node: Fields): Cte {
    const [types, modifiers] = [node.numbers('ctecoltypes'), node.numbers('ctecoltypmods')];
    return {
      name: node.word('ctename'),
      recursive: node.flag('cterecursive'),
      query: this.query(node.node('ctequery')!),
      columns: node.names('ctecolnames').map((name, index) => column(name, types[index], modifiers[index])),
    };
  }

  #window(node: Fields): Window {
    return {
      partition: this.groups(node.nodes('partitionClause')),
      order: this.groups(node.nodes('orderClause')),
      start: this.maybe(node.node('startOffset')),
      end: this.maybe(node.node('endOffset')),
      startInRange: node.number('startInRangeFunc'),
      endInRange: node.number('endInRangeFunc'),
    };
  }

  #setOperation(node: Fields | undefined): SetOperation | undefined {
    if (node === undefined) return undefined;
    if (node.tag === 'RANGETBLREF') return { kind: 'RangeTblRef', entry: node.number('rtindex') };
    const modifiers = node.numbers('colTypmods');
    return {
      kind: 'SetOperationStmt',
      operation: OPERATIONS[node.number('op')] as 'union',
      all: node.flag('all'),
      left: this.#setOperation(node.node('larg'))!,
      right: this.#setOperation(node.node('rarg'))!,
      columns: node.numbers('colTypes').map((type, index) => ({ type, modifier: modifiers[index] ?? -1 })),
      groups: this.groups(node.nodes('groupClauses')),
    };
  }

  #onConflict(node: Fields | undefined): OnConflict | undefined {
    if (node === undefined) return undefined;
    return {
      action: ACTIONS[node.number('action')] as OnConflict['action'],
      excluded: node.number('exclRelIndex'),
      inferred: node.nodes('arbiterElems').map((one) => this.expr(one.node('expr')!)),
      inferredWhere: this.maybe(node.node('arbiterWhere')),
      set: this.targets(node.nodes('onConflictSet')),
      where: this.maybe(node.node('onConflictWhere')),
    };
  }

  #mergeAction(node: Fields): MergeAction {
    return {
      command: COMMANDS[node.number('commandType')] as MergeAction['command'],
      condition: this.maybe(node.node('qual')),
      targets: this.targets(node.nodes('targetList')),
    };
  }
}

function column(name: string, type = 0, modifier = -1): RangeColumn {
  return { name, type, modifier };
}
