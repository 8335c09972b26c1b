import type { Session } from '../session.ts';

/** What statements are made of: names and types as SQL writes them. */
export interface Vocabulary {
  readonly tables: readonly Table[];
  /** Of values: those that have literals below, and what is made of them. */
  readonly types: readonly string[];
  /** By the type that they give. */
  readonly functions: ReadonlyMap<string, readonly Callable[]>;
  readonly aggregates: readonly Callable[];
  readonly operators: ReadonlyMap<string, readonly Callable[]>;
  /** Types that are cast without a word, by what they are cast to. */
  readonly casts: ReadonlyMap<string, readonly string[]>;
  /** Types that there is any cast of. */
  readonly explicit: ReadonlyMap<string, readonly string[]>;
}

export interface Callable {
  readonly name: string;
  readonly takes: readonly string[];
}

export interface Table {
  readonly name: string;
  readonly columns: readonly { readonly name: string; readonly type: string }[];
}

/** Texts that are values of a type: as literals of no type, they have to be read as what is wanted. */
export const LITERALS: Readonly<Record<string, readonly string[]>> = {
  smallint: ['1', '-7'],
  integer: ['1', '40000'],
  bigint: ['1', '5000000000'],
  numeric: ['1', '2.5'],
  real: ['1.5'],
  'double precision': ['2.5', '1e10'],
  text: ['a', '1'],
  'character varying': ['a'],
  character: ['a'],
  name: ['a'],
  '"char"': ['a'],
  boolean: ['t', 'false'],
  date: ['2024-05-05'],
  'time without time zone': ['12:00'],
  'time with time zone': ['12:00+01'],
  'timestamp without time zone': ['2024-05-05 12:00'],
  'timestamp with time zone': ['2024-05-05 12:00+00'],
  interval: ['1 day'],
  jsonb: ['{}', '1'],
  json: ['[]'],
  uuid: ['a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'],
  inet: ['10.0.0.1'],
  cidr: ['10.0.0.0/8'],
  bytea: ['\\x00'],
  bit: ['1'],
  'bit varying': ['101'],
  oid: ['5'],
  regclass: ['customers'],
  regtype: ['integer'],
  money: ['5'],
  tsvector: ['a b'],
  tsquery: ['a'],
  point: ['(1,2)'],
  box: ['(1,2),(3,4)'],
  xml: ['<a/>'],
  mood: ['ok'],
  positive: ['5'],
  even_positive: ['4'],
  short: ['abc'],
  tags: ['{a}'],
  address: ['(s,z,)'],
  home: ['(s,z,)'],
  euro: ['(5)'],
  span: ['[1,2)'],
  spans: ['{[1,2)}'],
  daterange: ['[2024-01-01,2024-02-01)'],
  int4range: ['[1,5)'],
  int4multirange: ['{[1,5)}'],
  'integer[]': ['{1,2}'],
  'bigint[]': ['{1}'],
  'numeric[]': ['{1.5}'],
  'text[]': ['{a,b}'],
  'character varying[]': ['{a}'],
  'boolean[]': ['{t}'],
  'euro[]': ['{}'],
  'mood[]': ['{ok}'],
};

/** They take or give what no value is of. */
const PSEUDO = `ARRAY['internal', 'cstring', 'trigger', 'event_trigger', 'language_handler', 'fdw_handler', 'index_am_handler',
  'tsm_handler', 'table_am_handler', 'void', 'pg_ddl_command', 'record', '"any"', 'unknown']::regtype[]`;
const CALLABLES = `SELECT prokind, quote_ident(proname), format_type(prorettype, NULL),
    (SELECT json_agg(format_type(t, NULL) ORDER BY n) FROM unnest(proargtypes) WITH ORDINALITY a (t, n))
  FROM pg_proc WHERE NOT proretset AND prokind IN ('f', 'a') AND pronargs BETWEEN 1 AND 4 AND proargmodes IS NULL
    AND NOT prorettype = ANY (${PSEUDO}) AND NOT proargtypes::oid[] && (${PSEUDO})::oid[] AND pg_function_is_visible(oid)
  ORDER BY oid`;
const OPERATORS = `SELECT oprname, format_type(oprresult, NULL), format_type(nullif(oprleft, 0), NULL), format_type(oprright, NULL)
  FROM pg_operator WHERE pg_operator_is_visible(oid) ORDER BY oid`;
const CASTS = `SELECT castcontext, format_type(casttarget, NULL), format_type(castsource, NULL) FROM pg_cast ORDER BY oid`;
const TABLES = `SELECT quote_ident(relname), json_agg(json_build_object('name', quote_ident(attname),
    'type', format_type(atttypid, NULL)) ORDER BY attnum)
  FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
  WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'v', 'm', 'p') AND attnum > 0 AND NOT attisdropped
  GROUP BY c.oid, relname ORDER BY relname`;

export async function readVocabulary(session: Session): Promise<Vocabulary> {
  const answers = await session.ask([CALLABLES, OPERATORS, CASTS, TABLES]);
  const failed = answers.find(({ error }) => error !== undefined);
  if (failed !== undefined) throw new Error(failed.error);
  const [callables = [], operators = [], casts = [], tables = []] = answers.map(({ rows }) =>
    rows.map((row) => row.map((value) => value ?? '')),
  );
  const callable = ([, name = '', , takes = '[]']: readonly string[]): Callable => ({
    name,
    takes: JSON.parse(takes) as string[],
  });
  return {
    tables: tables.map(([name = '', columns = '[]']) => ({
      name,
      columns: JSON.parse(columns) as Table['columns'],
    })),
    types: Object.keys(LITERALS),
    functions: grouped(
      callables.filter(([kind]) => kind === 'f').map((row) => [row[2] ?? '', callable(row)]),
    ),
    aggregates: callables.filter(([kind]) => kind === 'a').map(callable),
    operators: grouped(
      operators.map(([name = '', gives = '', left = '', right = '']) => [
        gives,
        { name, takes: left === '' ? [right] : [left, right] },
      ]),
    ),
    casts: grouped(
      casts.filter(([context]) => context === 'i').map(([, target = '', source = '']) => [target, source]),
    ),
    explicit: grouped(casts.map(([, target = '', source = '']) => [target, source])),
  };
}

function grouped<V>(pairs: readonly (readonly [string, V])[]): Map<string, V[]> {
  const map = new Map<string, V[]>();
  for (const [key, value] of pairs) {
    const known = map.get(key);
    if (known === undefined) map.set(key, [value]);
    else known.push(value);
  }
  return map;
}
