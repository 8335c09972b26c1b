import { type Ast, bodyOf, isAst, list, objectName, strings, text } from './ast.ts';
import { relation } from './extract-from.ts';
import { note } from './extract-utility.ts';
import type { DdlAction, RelationRole } from './facts.ts';
import { newerSyntax } from './newer-syntax.ts';
import { type Handler, nested, type Place, type Walk } from './walk.ts';

/** How a DDL statement is described: its tag, what it does, the kind of thing, and the field that names it. */
interface DdlRow {
  readonly tag: string;
  readonly action: DdlAction;
  /** Role of the relations it names. */
  readonly role?: RelationRole;
  /** Kind of a thing that is no relation, and the field with its name (or none: the kind alone). */
  readonly kind?: string;
  readonly field?: string;
  /** It holds code or opens a way that the gateway cannot follow. */
  readonly opaque?: true;
}

const table = (tag: string, action: DdlAction, role: RelationRole, opaque?: true): DdlRow => ({
  tag,
  action,
  role,
  ...(opaque === undefined ? {} : { opaque }),
});
const thing = (tag: string, action: DdlAction, kind: string, field?: string, opaque?: true): DdlRow => ({
  tag,
  action,
  kind,
  ...(field === undefined ? {} : { field }),
  ...(opaque === undefined ? {} : { opaque }),
});

const ROWS: Readonly<Record<string, DdlRow>> = {
  CreateForeignTableStmt: { ...table('CREATE FOREIGN TABLE', 'create', 'create', true) },
  CreateTableAsStmt: table('CREATE TABLE AS', 'create', 'create'),
  CreateSeqStmt: table('CREATE SEQUENCE', 'create', 'create'),
  AlterSeqStmt: table('ALTER SEQUENCE', 'alter', 'alter'),
  CompositeTypeStmt: thing('CREATE TYPE', 'create', 'type', 'typevar'),
  CreateTrigStmt: { ...table('CREATE TRIGGER', 'create', 'alter', true), kind: 'trigger', field: 'trigname' },
  RuleStmt: { ...table('CREATE RULE', 'create', 'alter', true), kind: 'rule', field: 'rulename' },
  CreatePolicyStmt: { ...table('CREATE POLICY', 'create', 'alter'), kind: 'policy', field: 'policy_name' },
  AlterPolicyStmt: { ...table('ALTER POLICY', 'alter', 'alter'), kind: 'policy', field: 'policy_name' },
  IndexStmt: { ...table('CREATE INDEX', 'create', 'alter'), kind: 'index', field: 'idxname' },
  CreateStatsStmt: {
    ...table('CREATE STATISTICS', 'create', 'alter'),
    kind: 'statistics',
    field: 'defnames',
  },
  AlterStatsStmt: thing('ALTER STATISTICS', 'alter', 'statistics', 'defnames'),
  CreateSchemaStmt: thing('CREATE SCHEMA', 'create', 'schema', 'schemaname'),
  CreateFunctionStmt: thing('CREATE FUNCTION', 'create', 'function', 'funcname', true),
  AlterFunctionStmt: thing('ALTER FUNCTION', 'alter', 'function', 'func', true),
  CreateEnumStmt: thing('CREATE TYPE', 'create', 'type', 'typeName'),
  CreateRangeStmt: thing('CREATE TYPE', 'create', 'type', 'typeName', true),
  AlterEnumStmt: thing('ALTER TYPE', 'alter', 'type', 'typeName'),
  AlterTypeStmt: thing('ALTER TYPE', 'alter', 'type', 'typeName', true),
  CreateDomainStmt: thing('CREATE DOMAIN', 'create', 'type', 'domainname'),
  AlterDomainStmt: thing('ALTER DOMAIN', 'alter', 'type', 'typeName'),
  AlterCollationStmt: thing('ALTER COLLATION', 'alter', 'collation', 'collname'),
  CreateCastStmt: thing('CREATE CAST', 'create', 'cast', undefined, true),
  CreateTransformStmt: thing('CREATE TRANSFORM', 'create', 'transform', undefined, true),
  CreateConversionStmt: thing('CREATE CONVERSION', 'create', 'conversion', 'conversion_name', true),
  CreateOpClassStmt: thing('CREATE OPERATOR CLASS', 'create', 'operator-class', 'opclassname', true),
  CreateOpFamilyStmt: thing('CREATE OPERATOR FAMILY', 'create', 'operator-family', 'opfamilyname', true),
  AlterOpFamilyStmt: thing('ALTER OPERATOR FAMILY', 'alter', 'operator-family', 'opfamilyname', true),
  AlterOperatorStmt: thing('ALTER OPERATOR', 'alter', 'operator', 'opername', true),
  CreateAmStmt: thing('CREATE ACCESS METHOD', 'admin', 'access-method', 'amname', true),
  CreatePLangStmt: thing('CREATE LANGUAGE', 'admin', 'language', 'plname', true),
  CreateEventTrigStmt: thing('CREATE EVENT TRIGGER', 'admin', 'event-trigger', 'trigname', true),
  AlterEventTrigStmt: thing('ALTER EVENT TRIGGER', 'admin', 'event-trigger', 'trigname', true),
  CreateExtensionStmt: thing('CREATE EXTENSION', 'admin', 'extension', 'extname', true),
  AlterExtensionStmt: thing('ALTER EXTENSION', 'admin', 'extension', 'extname', true),
  AlterExtensionContentsStmt: thing('ALTER EXTENSION', 'admin', 'extension', 'extname', true),
  CreateFdwStmt: thing('CREATE FOREIGN DATA WRAPPER', 'admin', 'foreign-data-wrapper', 'fdwname', true),
  AlterFdwStmt: thing('ALTER FOREIGN DATA WRAPPER', 'admin', 'foreign-data-wrapper', 'fdwname', true),
  CreateForeignServerStmt: thing('CREATE SERVER', 'admin', 'server', 'servername', true),
  AlterForeignServerStmt: thing('ALTER SERVER', 'admin', 'server', 'servername', true),
  CreateUserMappingStmt: thing('CREATE USER MAPPING', 'admin', 'server', 'servername', true),
  AlterUserMappingStmt: thing('ALTER USER MAPPING', 'admin', 'server', 'servername', true),
  DropUserMappingStmt: thing('DROP USER MAPPING', 'admin', 'server', 'servername'),
  ImportForeignSchemaStmt: thing('IMPORT FOREIGN SCHEMA', 'admin', 'server', 'server_name', true),
  CreateRoleStmt: thing('CREATE ROLE', 'admin', 'role', 'role'),
  AlterRoleStmt: thing('ALTER ROLE', 'admin', 'role'),
  AlterRoleSetStmt: thing('ALTER ROLE', 'admin', 'role', undefined, true),
  DropRoleStmt: thing('DROP ROLE', 'admin', 'role'),
  GrantRoleStmt: thing('GRANT ROLE', 'grant', 'role'),
  AlterDefaultPrivilegesStmt: thing('ALTER DEFAULT PRIVILEGES', 'grant', 'default-privileges'),
  ReassignOwnedStmt: thing('REASSIGN OWNED', 'admin', 'role'),
  DropOwnedStmt: thing('DROP OWNED', 'admin', 'role'),
  CreatedbStmt: thing('CREATE DATABASE', 'admin', 'database', 'dbname'),
  AlterDatabaseStmt: thing('ALTER DATABASE', 'admin', 'database', 'dbname'),
  AlterDatabaseRefreshCollStmt: thing('ALTER DATABASE', 'admin', 'database', 'dbname'),
  AlterDatabaseSetStmt: thing('ALTER DATABASE', 'admin', 'database', 'dbname', true),
  DropdbStmt: thing('DROP DATABASE', 'admin', 'database', 'dbname'),
  CreateTableSpaceStmt: thing('CREATE TABLESPACE', 'admin', 'tablespace', 'tablespacename'),
  DropTableSpaceStmt: thing('DROP TABLESPACE', 'admin', 'tablespace', 'tablespacename'),
  AlterTableSpaceOptionsStmt: thing('ALTER TABLESPACE', 'admin', 'tablespace', 'tablespacename'),
  AlterTableMoveAllStmt: thing('ALTER TABLE', 'admin', 'tablespace', 'orig_tablespacename'),
  AlterSystemStmt: thing('ALTER SYSTEM', 'admin', 'system', undefined, true),
  LoadStmt: thing('LOAD', 'admin', 'library', undefined, true),
  SecLabelStmt: thing('SECURITY LABEL', 'admin', 'label'),
  CheckPointStmt: thing('CHECKPOINT', 'admin', 'system'),
  CreatePublicationStmt: thing('CREATE PUBLICATION', 'replicate', 'publication', 'pubname', true),
  AlterPublicationStmt: thing('ALTER PUBLICATION', 'replicate', 'publication', 'pubname', true),
  CreateSubscriptionStmt: thing('CREATE SUBSCRIPTION', 'replicate', 'subscription', 'subname', true),
  AlterSubscriptionStmt: thing('ALTER SUBSCRIPTION', 'replicate', 'subscription', 'subname', true),
  DropSubscriptionStmt: thing('DROP SUBSCRIPTION', 'replicate', 'subscription', 'subname'),
  AlterTSDictionaryStmt: thing('ALTER TEXT SEARCH DICTIONARY', 'alter', 'text-search', 'dictname', true),
  AlterTSConfigurationStmt: thing('ALTER TEXT SEARCH CONFIGURATION', 'alter', 'text-search', 'cfgname'),
  VacuumStmt: table('VACUUM', 'maintain', 'maintain'),
  ClusterStmt: table('CLUSTER', 'maintain', 'maintain'),
  ReindexStmt: table('REINDEX', 'maintain', 'maintain'),
  RefreshMatViewStmt: table('REFRESH MATERIALIZED VIEW', 'maintain', 'maintain'),
};

function fromRow(type: string, row: DdlRow): Handler {
  return (walk, body, place) => {
    describe(walk, row.tag, row.opaque === true, body);
    const kind = row.kind;
    const bare = kind === undefined && body['relation'] === undefined && row.role === 'maintain';
    if (kind !== undefined) walk.facts.object({ action: row.action, kind, name: fieldName(body, row.field) });
    else if (bare && list(body['rels']).length === 0) {
      walk.facts.object({ action: row.action, kind: 'database', name: [] });
    }
    walk.fields(type, body, { ...place, role: row.role ?? 'alter', top: false, ctes: undefined });
  };
}

function describe(walk: Walk, tag: string, opaque: boolean, body: Ast = {}): void {
  note(walk, tag, 'ddl');
  if (body['behavior'] === 'DROP_CASCADE') walk.facts.cascade = true;
  if (opaque) walk.facts.opaque ??= tag;
}

function fieldName(body: Ast, field: string | undefined): string[] {
  const value = field === undefined ? undefined : body[field];
  if (typeof value === 'string') return [value];
  if (Array.isArray(value)) return strings(value);
  if (!isAst(value)) return [];
  const names = strings(value['objname']);
  return names.length > 0
    ? names
    : [value['schemaname'], value['relname']].map(text).filter((part) => part !== '');
}

export const DDL_HANDLERS: Readonly<Record<string, Handler>> = {
  ...Object.fromEntries(Object.entries(ROWS).map(([type, row]) => [type, fromRow(type, row)])),
  AlterTableStmt: (walk, body, place) => {
    describe(walk, 'ALTER TABLE', false, body);
    const subject = body['relation'];
    if (!isAst(subject)) return walk.facts.refuse('an ALTER TABLE without a table');
    relation(walk, subject, 'alter', { columns: valuedColumns(body['cmds']) });
    walk.fields('RangeVar', subject, place);
    const rest = { ...place, role: 'alter', top: false, ctes: undefined } as const;
    walk.fields('AlterTableStmt', body, rest, { relation: () => undefined });
  },
  CreateStmt: (walk, body, place) => {
    describe(walk, 'CREATE TABLE', false, body);
    const made = { ...place, role: 'create', top: false, ctes: undefined } as const;
    const parents = (value: unknown) => walk.visit(value, { ...made, role: 'create-from' });
    walk.fields('CreateStmt', body, made, { inhRelations: parents });
  },
  ViewStmt: (walk, body, place) => {
    describe(walk, 'CREATE VIEW', false);
    walk.facts.materializes = true;
    walk.fields('ViewStmt', body, { ...place, role: 'create', top: false, ctes: undefined });
  },
  CreateTableAsStmt: (walk, body, place) => {
    const matview = body['objtype'] === 'OBJECT_MATVIEW';
    describe(walk, matview ? 'CREATE MATERIALIZED VIEW' : 'CREATE TABLE AS', false);
    if (bodyOf(body['query'], 'ExecuteStmt') !== undefined) walk.facts.refuse('CREATE TABLE AS EXECUTE');
    walk.fields('CreateTableAsStmt', body, place, { query: (value) => walk.visit(value, nested(place)) });
  },
  Constraint: (walk, body, place) => {
    if (body['generated_kind'] === 'v') walk.facts.newerSyntax(newerSyntax('Constraint that is virtual'));
    const around: Place = place.role === 'create' ? { ...place, role: 'create-from' } : place;
    const refersTo = (table: unknown) => {
      if (!isAst(table)) return walk.facts.refuse('a foreign key without a table');
      relation(walk, table, around.role, { keys: strings(body['pk_attrs']) });
      walk.fields('RangeVar', table, around);
    };
    walk.fields('Constraint', body, around, { pktable: refersTo });
  },
  TableLikeClause: (walk, body, place) => walk.fields('TableLikeClause', body, { ...place, role: 'read' }),
  DefineStmt: (walk, body, place) => {
    const kind = objectKind(body['kind']);
    const code = ['aggregate', 'operator', 'type', 'tsparser', 'tstemplate'].includes(kind);
    describe(walk, `CREATE ${kind.toUpperCase()}`, code);
    walk.facts.object({ action: 'create', kind, name: strings(body['defnames']) });
    walk.fields('DefineStmt', body, place);
  },
  GrantStmt: (walk, body, place) => {
    describe(walk, body['is_grant'] === true ? 'GRANT' : 'REVOKE', false);
    const kind = objectKind(body['objtype']);
    const named = list(body['objects']).filter((entry) => bodyOf(entry, 'RangeVar') === undefined);
    for (const entry of named) walk.facts.object({ action: 'grant', kind, name: objectName(entry) });
    walk.fields('GrantStmt', body, { ...place, role: 'grant' });
  },
  DropStmt: (walk, body, place) => {
    const kind = objectKind(body['removeType']);
    describe(walk, `DROP ${kind.toUpperCase()}`, ROUTINES.has(kind), body);
    for (const entry of list(body['objects'])) named(walk, 'drop', 'drop', kind, objectName(entry));
    walk.fields('DropStmt', body, place);
  },
  CommentStmt: (walk, body, place) => {
    describe(walk, 'COMMENT', false);
    named(walk, 'comment', 'comment', objectKind(body['objtype']), objectName(body['object']));
    walk.fields('CommentStmt', body, place);
  },
  RenameStmt: (walk, body, place) => {
    const ofColumn = body['renameType'] === 'OBJECT_COLUMN';
    const ofRelation = RELATION_KINDS.has(objectKind(body['renameType']));
    walk.facts.single.renames = {
      ...(ofColumn ? { column: text(body['subname']) } : {}),
      ...(ofRelation ? { to: { name: text(body['newname']) } } : {}),
    };
    altered(walk, 'RenameStmt', body, place, objectKind(body['renameType']));
  },
  AlterObjectSchemaStmt: (walk, body, place) => {
    const ofRelation = RELATION_KINDS.has(objectKind(body['objectType']));
    walk.facts.single.renames = ofRelation ? { to: { schema: text(body['newschema']) } } : {};
    altered(walk, 'AlterObjectSchemaStmt', body, place, objectKind(body['objectType']));
  },
  AlterOwnerStmt: (walk, body, place) =>
    altered(walk, 'AlterOwnerStmt', body, place, objectKind(body['objectType'])),
  AlterObjectDependsStmt: (walk, body, place) =>
    altered(walk, 'AlterObjectDependsStmt', body, place, objectKind(body['objectType'])),
};

/** Without one of them, or where one has another name, schema or owner, calls by a name run something else. */
const ROUTINES: ReadonlySet<string> = new Set(['function', 'procedure', 'routine', 'aggregate']);

function altered(walk: Walk, type: string, body: Ast, place: Place, kind: string): void {
  describe(walk, `ALTER ${kind.toUpperCase()}`, ROUTINES.has(kind));
  if (body['relation'] === undefined) {
    const name = objectName(body['object']);
    walk.facts.object({ action: 'alter', kind, name: name.length > 0 ? name : [text(body['subname'])] });
  }
  walk.fields(type, body, { ...place, role: 'alter' });
}

/** Commands of ALTER TABLE that give a column other values, now or later. */
const GIVES_VALUES: ReadonlySet<string> = new Set([
  'AT_AddColumn',
  'AT_ColumnDefault',
  'AT_CookedColumnDefault',
  'AT_AlterColumnType',
  'AT_AddIdentity',
  'AT_SetExpression',
]);

function valuedColumns(commands: unknown): string[] {
  return list(commands).flatMap((entry) => {
    const command = bodyOf(entry, 'AlterTableCmd');
    if (!GIVES_VALUES.has(text(command?.['subtype']))) return [];
    return [text(command?.['name']) || text(bodyOf(command?.['def'], 'ColumnDef')?.['colname'])];
  });
}

/** `OBJECT_FOREIGN_TABLE` → `foreign table`. */
function objectKind(value: unknown): string {
  return text(value)
    .replace(/^OBJECT_/, '')
    .replaceAll('_', ' ')
    .toLowerCase();
}

const RELATION_KINDS = new Set(['table', 'view', 'matview', 'foreign table', 'sequence']);
/** Named by their table, then by themselves. */
const PART_KINDS = new Set(['column', 'trigger', 'rule', 'policy', 'tabconstraint']);

function named(
  walk: Walk,
  action: DdlAction,
  role: RelationRole,
  kind: string,
  name: readonly string[],
): void {
  if (RELATION_KINDS.has(kind)) ofRelation(walk, role, name);
  else if (PART_KINDS.has(kind)) ofRelation(walk, role === 'drop' ? 'alter' : role, name.slice(0, -1));
  if (!RELATION_KINDS.has(kind)) walk.facts.object({ action, kind, name });
}

function ofRelation(walk: Walk, role: RelationRole, name: readonly string[]): void {
  const [relname, schemaname] = [name.at(-1), name.at(-2)];
  if (relname === undefined) return walk.facts.refuse('a relation without a name');
  relation(walk, { relname, ...(schemaname === undefined ? {} : { schemaname }), inh: true }, role);
}
