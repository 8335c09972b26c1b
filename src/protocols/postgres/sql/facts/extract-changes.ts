import { type Ast, bodyOf, isAst, list, objectName, strings, text } from './ast.ts';
import { type NamedChanges, NOTHING_NAMED } from './schema-changes.ts';

type Named = Partial<NamedChanges> | undefined;

/**
 * Kinds of ALTER TABLE that change the relation itself, its descendants and their parts, and nothing else that is kept.
 * Others are not listed: a column's new type, for one, makes foreign keys of other tables anew.
 */
const OWN_CHANGES: ReadonlySet<string> = new Set([
  'AT_AddColumn',
  'AT_ColumnDefault',
  'AT_DropNotNull',
  'AT_SetNotNull',
  'AT_SetOptions',
  'AT_AddConstraint',
  'AT_ValidateConstraint',
  'AT_SetRelOptions',
  'AT_ResetRelOptions',
  'AT_EnableRowSecurity',
  'AT_DisableRowSecurity',
  'AT_ForceRowSecurity',
  'AT_NoForceRowSecurity',
  'AT_EnableTrig',
  'AT_DisableTrig',
  'AT_AddIdentity',
  'AT_SetIdentity',
]);
/** Kinds that change nothing that is kept of a relation. */
const NOT_KEPT: ReadonlySet<string> = new Set([
  'AT_ChangeOwner',
  'AT_ClusterOn',
  'AT_DropCluster',
  'AT_ReplicaIdentity',
  'AT_SetCompression',
  'AT_SetStatistics',
  'AT_SetStorage',
]);
/** Kinds that drop parts, and what these own; with CASCADE who knows what. */
const OWN_DROPS: ReadonlySet<string> = new Set(['AT_DropColumn', 'AT_DropConstraint', 'AT_DropIdentity']);

const RELATION_KINDS: ReadonlySet<string> = new Set([
  'OBJECT_TABLE',
  'OBJECT_VIEW',
  'OBJECT_MATVIEW',
  'OBJECT_SEQUENCE',
  'OBJECT_FOREIGN_TABLE',
]);
const FUNCTION_KINDS: ReadonlySet<string> = new Set([
  'OBJECT_FUNCTION',
  'OBJECT_PROCEDURE',
  'OBJECT_ROUTINE',
  'OBJECT_AGGREGATE',
]);
/** Named by their relation, then by themselves. */
const PART_KINDS: ReadonlySet<string> = new Set(['OBJECT_TRIGGER', 'OBJECT_RULE', 'OBJECT_POLICY']);

const BY_TYPE: Readonly<Record<string, (body: Ast) => Named>> = {
  // A partition takes part in the foreign keys that refer to its parent.
  CreateStmt: (body) => (body['partbound'] === undefined ? relationIn(body['relation']) : undefined),
  CreateTableAsStmt: ({ into }) => relationIn(isAst(into) ? into['rel'] : undefined),
  CreateSeqStmt: (body) => relationIn(body['sequence']),
  AlterTableStmt: altered,
  IndexStmt: indexed,
  ViewStmt: (body) => relationIn(body['view']),
  CreateTrigStmt: (body) => relationIn(body['relation']),
  RuleStmt: (body) => relationIn(body['relation']),
  CreatePolicyStmt: (body) => relationIn(body['table']),
  AlterPolicyStmt: (body) => relationIn(body['table']),
  CreateFunctionStmt: (body) => ofLast('functions', strings(body['funcname'])),
  AlterFunctionStmt: ({ func }) => ofLast('functions', isAst(func) ? strings(func['objname']) : []),
  CompositeTypeStmt: ({ typevar }) => ofLast('types', isAst(typevar) ? [text(typevar['relname'])] : []),
  CreateEnumStmt: (body) => ofLast('types', strings(body['typeName'])),
  CreateDomainStmt: (body) => ofLast('types', strings(body['domainname'])),
  CreateSchemaStmt: (body) =>
    list(body['schemaElts']).length > 0 ? undefined : ofLast('schemas', [text(body['schemaname'])]),
  DropStmt: dropped,
  RenameStmt: renamed,
  // Owners, numbers of sequences, labels of enums, comments and privileges are not kept.
  AlterOwnerStmt: () => ({}),
  AlterSeqStmt: () => ({}),
  AlterEnumStmt: () => ({}),
  CommentStmt: () => ({}),
  GrantStmt: () => ({}),
};

/** Kinds of ALTER TABLE after which a relation's columns are called as before, and are of the same types. */
const KEEP_COLUMNS: ReadonlySet<string> = new Set(
  [...OWN_CHANGES, ...NOT_KEPT, 'AT_DropConstraint', 'AT_DropIdentity'].filter(
    (one) => one !== 'AT_AddColumn',
  ),
);
/** They make parts of a relation, or change what no name is looked up by. */
const KEEP_NAMES: ReadonlySet<string> = new Set([
  'IndexStmt',
  'CreateTrigStmt',
  'CreatePolicyStmt',
  'AlterPolicyStmt',
  'CreateStatsStmt',
  'AlterSeqStmt',
  'AlterEnumStmt',
  'AlterOwnerStmt',
  'CommentStmt',
  'GrantStmt',
]);

/** Whether a statement that changes the schema leaves all relations, their columns and what these are called as they are. */
export function keepsNames(type: string, body: Ast): boolean {
  if (type !== 'AlterTableStmt') return KEEP_NAMES.has(type);
  const commands = list(body['cmds']).map((entry) => bodyOf(entry, 'AlterTableCmd'));
  return commands.every(
    (one) => KEEP_COLUMNS.has(text(one?.['subtype'])) && one?.['behavior'] !== 'DROP_CASCADE',
  );
}

/** Whether an ALTER TABLE takes along what others have of it. */
export function cascades(type: string, body: Ast): boolean {
  if (type !== 'AlterTableStmt') return false;
  return list(body['cmds']).some((entry) => bodyOf(entry, 'AlterTableCmd')?.['behavior'] === 'DROP_CASCADE');
}

/**
 * Reads from a statement's tree which objects it may change.
 *
 * @returns Undefined where it may be others than it names, or that is not known.
 */
export function namedChanges(type: string, body: Ast): NamedChanges | undefined {
  const named = BY_TYPE[type]?.(body);
  if (named === undefined) return undefined;
  const all = { ...NOTHING_NAMED, ...named };
  return [...all.relations, ...all.functions, ...all.types, ...all.schemas].includes('') ? undefined : all;
}

function relationIn(node: unknown): Named {
  return isAst(node) ? { relations: [text(node['relname'])] } : undefined;
}

function ofLast(kind: 'relations' | 'functions' | 'types' | 'schemas', name: readonly string[]): Named {
  const last = name.at(-1);
  return last === undefined ? undefined : { [kind]: [last] };
}

/** An index of columns alone uses nothing that writing the relation would not use anyway. */
function indexed(body: Ast): Named {
  const columns = list(body['indexParams']).map((entry) => bodyOf(entry, 'IndexElem'));
  const plain = body['whereClause'] === undefined && columns.every((one) => one?.['expr'] === undefined);
  return plain ? {} : relationIn(body['relation']);
}

function altered(body: Ast): Named {
  if (!RELATION_KINDS.has(text(body['objtype']))) return undefined;
  const commands = list(body['cmds'])
    .map((entry) => bodyOf(entry, 'AlterTableCmd'))
    .filter((one) => !NOT_KEPT.has(text(one?.['subtype'])));
  if (commands.length === 0) return {};
  const drops = commands.some((one) => OWN_DROPS.has(text(one?.['subtype'])));
  const plain = commands.every((one) => {
    const subtype = text(one?.['subtype']);
    return OWN_CHANGES.has(subtype) || (OWN_DROPS.has(subtype) && one?.['behavior'] !== 'DROP_CASCADE');
  });
  return plain ? { ...relationIn(body['relation']), drops } : undefined;
}

function dropped(body: Ast): Named {
  const kind = text(body['removeType']);
  if (body['behavior'] === 'DROP_CASCADE') return undefined;
  const names = list(body['objects']).map(objectName);
  if (RELATION_KINDS.has(kind)) return { relations: names.map(lastOf), drops: true };
  if (FUNCTION_KINDS.has(kind)) return { functions: names.map(lastOf) };
  return PART_KINDS.has(kind) ? { relations: names.map((name) => lastOf(name.slice(0, -1))) } : undefined;
}

function lastOf(name: readonly string[]): string {
  return name.at(-1) ?? '';
}

function renamed(body: Ast): Named {
  const kind = text(body['renameType']);
  const relation = isAst(body['relation']) ? text(body['relation']['relname']) : '';
  if (RELATION_KINDS.has(kind)) return { relations: [relation, text(body['newname'])] };
  const part = PART_KINDS.has(kind) || kind === 'OBJECT_TABCONSTRAINT';
  const column = kind === 'OBJECT_COLUMN' && RELATION_KINDS.has(text(body['relationType']));
  return part || column ? { relations: [relation] } : undefined;
}
