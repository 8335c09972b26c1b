/** Casts: that are not written, that cut, or that fail with the value in the message. */
import type { Taking } from './world.ts';

const of = (expression: string) => `SELECT ${expression} FROM notes WHERE id = 1`;
const cut = /45395787/;

const CUT: readonly string[] = [
  of('body::varchar(12)'),
  of('CAST(body AS char(12))'),
  of('body::char(12)::text'),
  of('body::bpchar::varchar(12)'),
  of("(repeat('x', 51) || body)::name"),
  of('tags::varchar(12)[]'),
  of('code::char(8)'),
  // A domain's length is no cast that somebody has written.
  of('body::short'),
  of('CAST(tags AS short[])'),
  of('tags::shorts'),
  of('code::short'),
  // Nor is the length of a row's field.
  of('(ROW(1, body)::cut).body'),
  of('ROW(1, body)::cut'),
  'SELECT (q::cut).body FROM (SELECT 1, body FROM notes WHERE id = 1) q',
  'SELECT x.body FROM notes, LATERAL (SELECT (ROW(1, notes.body)::cut).*) x WHERE notes.id = 1',
  'SELECT body FROM shortened WHERE id = 1',
  "WITH q AS (SELECT body::short AS b FROM notes WHERE id = 1) SELECT b FROM q UNION ALL SELECT 'x'",
];

const CUT_18: readonly string[] = [of('JSON_SCALAR(body::short)')];

/** What a text cannot become, the server says with the text. */
const FAILING: readonly string[] = [
  'SELECT 1 FROM notes WHERE id = 1 AND body::int > 0',
  'SELECT 1 FROM notes WHERE id = 1 AND reverse(body)::int > 0',
  "SELECT 1 FROM notes WHERE id = 1 AND encode(body::bytea, 'hex')::uuid IS NULL",
  'SELECT 1 FROM notes WHERE id = 1 AND reverse(body)::date IS NULL',
  "SELECT 1 FROM notes WHERE id = 1 AND ('x' || reverse(code))::regclass IS NULL",
  `SELECT 1 FROM notes WHERE id = 1 AND ('["' || reverse(body))::json IS NULL`,
  "SELECT 1 FROM notes WHERE id = 1 AND to_tsquery(reverse(body) || ' won') IS NULL",
  'SELECT 1 FROM notes WHERE id = 1 AND xmlparse(DOCUMENT reverse(body)) IS NULL',
  'SELECT 1 FROM notes WHERE id = 1 AND now() AT TIME ZONE reverse(body) IS NULL',
  'SELECT 1 FROM notes WHERE id = 1 AND date_part(reverse(body), now()) = 1',
  "SELECT 1 FROM notes WHERE id = 1 AND has_table_privilege('x' || reverse(code), 'select')",
  'SELECT 1 FROM notes WHERE id = 1 AND set_config(reverse(body), $$x$$, true) IS NULL',
  "SELECT 1 FROM notes WHERE id = 1 AND encode('x', reverse(body)) IS NULL",
];

export const CUTS: readonly (string | Taking)[] = [
  ...CUT.map((sql): Taking => ({ steps: [sql], told: cut })),
  ...CUT_18.map((sql): Taking => ({ steps: [sql], told: cut, majors: [18] })),
  ...FAILING.map((sql): Taking => ({ steps: [sql], control: 'server' })),
  // A text that is a number already.
  { steps: ['SELECT code::text::numeric FROM notes WHERE id = 1 AND code::numeric > 0'], control: 'server' },
];
