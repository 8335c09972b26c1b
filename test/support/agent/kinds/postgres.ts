import type { PostgresRule } from '../../../../src/protocols/postgres/refusals.ts';
import { bareMessages } from '../bare-messages.ts';
import type { Kind } from './kind.ts';

const ANN = 'SELECT name FROM customers WHERE id = 1';

/** Of each rule by which a statement is refused. */
export const POSTGRES_KINDS: Readonly<Record<PostgresRule, Kind>> = {
  'syntax-error': { refused: ['SELECT name FORM customers WHERE id = 1'], other: [ANN], shows: 'Ann' },
  unanalysable: {
    refused: [`SELECT ${'('.repeat(40_000)}1${')'.repeat(40_000)}`],
    other: ['SELECT 1'],
    shows: '1',
  },
  unsupported: {
    refused: ['PREPARE days_of AS SELECT id FROM days', 'CREATE TABLE public.calendar AS EXECUTE days_of'],
    other: ['CREATE TABLE public.calendar AS SELECT id FROM days'],
    leaves: { sql: "SELECT to_regclass('public.calendar') IS NOT NULL", before: 'f', after: 't' },
  },
  'newer-syntax': {
    refused: [`SELECT name FROM (${ANN})`],
    other: [`SELECT name FROM (${ANN}) AS one`],
    shows: 'Ann',
  },
  'unreadable-statement': { never: 'a reader that fails or is full, which no statement brings about' },
  'identifier-encoding': {
    at: 'pg-latin',
    refused: ['SELECT 1 AS "prénom"'],
    other: ['SELECT 1 AS prenom'],
    shows: '1',
  },
  'uncertain-name': {
    refused: ['RESET search_path; SELECT count(*) FROM twice'],
    other: ['SELECT count(*) FROM public.twice'],
    shows: '1',
  },
  'stale-names': {
    refused: [
      'PREPARE them AS SELECT count(*) FROM days',
      'BEGIN',
      'CREATE TABLE hoop.days (id int)',
      'EXECUTE them',
    ],
    other: ['PREPARE them AS SELECT count(*) FROM days', 'EXECUTE them'],
    shows: /250$/,
  },
  'unread-session': { file: 'test/clients/agent/away.test.ts', test: 'unread-session' },
  'catalog-unavailable': { file: 'test/clients/agent/away.test.ts', test: 'catalog-unavailable' },
  'unknown-statement': {
    refused: ['EXECUTE ann'],
    other: [`PREPARE ann AS ${ANN}`, 'EXECUTE ann'],
    shows: /Ann$/,
  },
  'unknown-portal': {
    refused: ['BEGIN', 'FETCH ALL FROM ann'],
    other: ['BEGIN', `DECLARE ann CURSOR FOR ${ANN}`, 'FETCH ALL FROM ann'],
    shows: /Ann$/,
  },
  'unknown-function': {
    by: bareMessages,
    refused: ['call 999999'],
    other: ["query SELECT upper('up')"],
    shows: 'UP',
  },
  'unknown-type': {
    by: bareMessages,
    refused: ['prepare 999999 SELECT $1 IS NULL'],
    other: ['prepare 0 SELECT $1::text IS NULL'],
    shows: 't',
  },
  'uncommitted-relation': {
    refused: [
      'BEGIN ISOLATION LEVEL SERIALIZABLE',
      'CREATE TABLE public.fresh (id int)',
      'SELECT count(*) FROM public.fresh',
      'COMMIT',
    ],
    other: ['CREATE TABLE public.fresh (id int)', 'SELECT count(*) FROM public.fresh'],
    shows: /0$/,
  },
  'schema-changing': { file: 'test/clients/postgres/schema-turns.test.ts', test: 'schema-changing' },
  'too-many-names': {
    refused: ['\\i {dir}/many.sql'],
    other: ['SELECT 4999'],
    shows: '4999',
  },
  'masked-column-flow': {
    refused: ["SELECT name FROM customers WHERE email = 'ann@example.com'"],
    other: [ANN],
    shows: 'Ann',
  },
  'masked-code': {
    refused: ['CREATE FUNCTION loud(text) RETURNS text LANGUAGE sql RETURN upper($1)'],
    other: [ANN],
    shows: 'Ann',
  },
  'lookups-spent': {
    refused: ["SELECT name FROM contacts WHERE mail = 'a@example.com' OR mail = 'b@example.com'"],
    other: ["SELECT name FROM contacts WHERE name = 'Ann'"],
    shows: 'Ann',
  },
  'unknown-source': {
    refused: ['SELECT name FROM customers WHERE id = 1 ORDER BY greet(name)'],
    other: [ANN],
    shows: 'Ann',
  },
  'computed-text': {
    at: 'pg-plain',
    refused: ['SELECT upper(note) FROM customers WHERE id = 1'],
    other: [ANN],
    shows: 'Ann',
  },
  'unlisted-function': {
    at: 'pg-plain',
    refused: ["SELECT greet('Ann')"],
    other: ['SELECT max(name) FROM customers WHERE id = 1'],
    about: 'a function that hands values on',
    shows: 'Ann',
  },
  'text-definition': {
    at: 'pg-plain',
    refused: ['CREATE VIEW public.loud AS SELECT upper(note) FROM customers'],
    other: ['SELECT note FROM customers WHERE id = 1'],
  },
  'mask-written-back': {
    refused: ["UPDATE customers SET email = '***', note = 'moved' WHERE id = 2"],
    other: ["UPDATE customers SET note = 'moved' WHERE id = 2"],
    leaves: {
      sql: 'SELECT email, note FROM customers WHERE id = 2',
      before: 'bob@example.com|x',
      after: 'bob@example.com|moved',
    },
  },
  'masked-table-ddl': {
    refused: ['ALTER TABLE customers ADD COLUMN city text'],
    other: ['SELECT 1'],
  },
  'function-call': {
    by: bareMessages,
    refused: ['call 871 up'],
    other: ["query SELECT upper('up')"],
    shows: 'UP',
  },
  'copy-format': {
    refused: ['COPY (SELECT name FROM customers WHERE id = 1) TO STDOUT (FORMAT binary)'],
    other: ['COPY (SELECT name FROM customers WHERE id = 1) TO STDOUT (FORMAT csv)'],
    shows: 'Ann',
  },
  'sensitive-catalog': {
    refused: ["SELECT upper(most_common_vals::text) FROM pg_stats WHERE tablename = 'days'"],
    other: ["SELECT tablename FROM pg_tables WHERE tablename = 'days'"],
    shows: 'days',
  },
  'unsafe-function': {
    refused: ["SELECT query_to_xml('SELECT name FROM customers', true, true, '')"],
    other: ["SELECT string_agg(name, ',') FROM customers"],
    about: 'functions that only compute',
    shows: 'Ann,Bob',
  },
  'unsafe-setting': { refused: ["SET search_path = 'other'", ANN], other: [ANN], shows: 'Ann' },
  'set-config': {
    refused: ["SELECT set_config('application_name', name, false) FROM customers WHERE id = 1"],
    other: ["SET application_name = 'Ann'", 'SHOW application_name'],
    shows: /Ann$/,
  },
  'rewrite-rule': {
    refused: ['INSERT INTO ruled VALUES (7)'],
    other: ['INSERT INTO behind VALUES (7)'],
    leaves: { sql: 'SELECT count(*) FROM behind', before: '0', after: '1' },
  },
};
