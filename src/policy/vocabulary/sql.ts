import type { PolicyObject } from '../model.ts';
import type { ContextKind, VerbRow, VocabularyPart } from './row.ts';

const STATEMENT: ContextKind = {
  type: 'SqlContext',
  facts: `
  // Whether every UPDATE and DELETE in the request has a WHERE, and whether one of them holds for all rows.
  hasWhere: Bool, tautology: Bool,
  // What UPDATE, INSERT, MERGE and COPY give values to, "public.customers.email"; tags of those columns, with their groups;
  // whether one of them is masked for the principal.
  columns: Set<String>, columnTags: Set<String>, writesMasked: Bool,
  // Qualified names of the functions called: "pg_catalog.lower".
  functions: Set<String>,`,
  worstCase: {
    hasWhere: false,
    tautology: true,
    columns: [],
    columnTags: [],
    writesMasked: true,
    functions: [],
  },
  recorded: ['hasWhere', 'tautology', 'columns', 'columnTags', 'writesMasked', 'functions'],
  written: {
    columns: { form: /^[^./]+\.[^.]+\../, like: '"public.customers.email"' },
    functions: { form: /^[^./]+\../, like: '"pg_catalog.lower"' },
  },
};

const TABLES = ['Table'];
const DEFINITIONS = ['Resource', 'Schema', 'Table', 'Function'];
const SETTINGS = ['Setting'];
const WHOLE = ['Resource'];

const isOf = (...classes: readonly string[]) => {
  return ({ attrs }: PolicyObject) => classes.some((name) => attrs['class'] === name);
};
const isSafe = ({ attrs }: PolicyObject) => attrs['safe'] === true;
const ANY_OBJECT = () => true;

type SqlRow = Omit<VerbRow, 'context' | 'group'> & { readonly group?: string };

const READ: readonly SqlRow[] = [
  { verb: 'sql.select', on: TABLES, reads: true, limited: true },
  { verb: 'sql.show', on: SETTINGS, always: ANY_OBJECT },
];

const WRITE: readonly SqlRow[] = [
  { verb: 'sql.insert', on: TABLES, rows: 'counted', limited: true },
  { verb: 'sql.update', on: TABLES, rows: 'counted', limited: true },
  { verb: 'sql.delete', on: TABLES, rows: 'counted', limited: true },
  { verb: 'sql.merge', on: TABLES, rows: 'counted', limited: true },
  { verb: 'sql.truncate', on: TABLES, rows: 'uncounted' },
  { verb: 'sql.copy-in', on: TABLES, rows: 'counted', limited: true },
];

const DDL: readonly SqlRow[] = [
  { verb: 'sql.create', on: DEFINITIONS },
  { verb: 'sql.alter', on: DEFINITIONS },
  { verb: 'sql.drop', on: DEFINITIONS },
  { verb: 'sql.comment', on: DEFINITIONS },
];

const OTHER: readonly SqlRow[] = [
  // To the client only; to a file or a program is `sql.admin` as well.
  { verb: 'sql.copy-out', on: ['Table', 'Resource'], reads: true, limited: true },
  { verb: 'sql.lock', on: TABLES },
  { verb: 'sql.grant', on: DEFINITIONS },
  // Always only where it computes or looks into the catalogs. What a session does to itself changes no rows.
  {
    verb: 'sql.call',
    on: ['Function'],
    always: isOf('pure', 'catalog'),
    rows: 'uncounted',
    limited: true,
    rowless: isOf('session'),
  },
  { verb: 'sql.do', on: WHOLE, rows: 'uncounted', limited: true },
  // Always only where it cannot change how SQL is read.
  { verb: 'sql.set', on: SETTINGS, always: isSafe },
  { verb: 'sql.set-unsafe', on: SETTINGS },
  { verb: 'sql.transaction', on: WHOLE, always: ANY_OBJECT },
  { verb: 'sql.maintain', on: DEFINITIONS },
  { verb: 'sql.listen', on: WHOLE },
  { verb: 'sql.notify', on: WHOLE },
  { verb: 'sql.replicate', on: WHOLE },
  { verb: 'sql.admin', on: WHOLE },
];

const grouped = (group: string, rows: readonly SqlRow[]): VerbRow[] =>
  rows.map((row) => ({ ...row, group, context: STATEMENT }));

/** What SQL does, and to what. */
export const SQL_VOCABULARY: VocabularyPart = {
  name: 'sql',
  groups: { sql: undefined, 'sql.read': 'sql', 'sql.write': 'sql', 'sql.ddl': 'sql' },
  entities: `
entity Schema in [Resource] = { name?: String, system?: Bool };
entity Table in [Schema] = {
  schema: String, name: String, kind: String, system: Bool, sensitive: Bool, tags: Set<String>
};
entity Column in [Table] = { schema: String, table: String, name: String, tags: Set<String>, detected: Bool };
entity Function in [Schema, Resource] = { schema: String, name: String, class: String, table: String, tags: Set<String>, detected: Bool };
entity Setting in [Resource] = { name: String, safe: Bool };
`,
  verbs: [
    ...grouped('sql.read', READ),
    ...grouped('sql.write', WRITE),
    ...grouped('sql.ddl', DDL),
    ...grouped('sql', OTHER),
  ],
  alsoOn: { reveal: ['Column', 'Function'] },
  // A rule that shows all columns says nothing of what code may do with those that another hides.
  byName: { reveal: ['Function'] },
};
