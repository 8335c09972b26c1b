import fc from 'fast-check';

export type Text = fc.Arbitrary<string>;
export const pick = (...words: string[]): Text => fc.constantFrom(...words);
export const column = pick('c0', 'c1', 'c2');

/** Puts columns, names and queries where a template has `$`, one after the other. */
export function filled(template: string, ...parts: readonly Text[]): Text {
  return fc.tuple(...parts).map((found) => {
    let at = 0;
    return template.replaceAll('$', () => found[at++] ?? '$');
  });
}

/** Texts that are computed from a row `t`; `$` is a column. */
const COMPUTED_TEXTS = [
  ...[
    'upper(t.$::text)',
    'coalesce(t.$::text, t.$::text)',
    "t.$ || ''",
    'nullif(t.$::text, t.$::text)',
    't.$::varchar(2)',
  ],
  ...[
    "CASE WHEN t.$ IS NULL THEN 'n' ELSE t.$::text END",
    "CASE t.$::text WHEN 'alpha' THEN 'yes' ELSE 'no' END",
  ],
  ...[
    'max(t.$) OVER (PARTITION BY t.$)::text',
    'lag(t.$::text) OVER (ORDER BY t.$)',
    'first_value(t.$::text) OVER w',
  ],
  ...[
    "string_agg(t.$::text, ',') OVER ()",
    'nth_value(t.$::text, 2) OVER (ORDER BY t.$ ROWS BETWEEN 1 PRECEDING AND UNBOUNDED FOLLOWING)',
  ],
  ...[
    'row_to_json(t)::text',
    "to_jsonb(t) ->> '$'",
    "json_build_object('k', t.$)::text",
    'jsonb_build_array(t.$, t.$)::text',
  ],
  ...[
    'xmlforest(t.$)::text',
    'xmlelement(name a, t.$)::text',
    '(ROW(t.$, t.$))::text',
    't::text',
    '(t).$::text',
    'ROW(t.*)::text',
  ],
  ...[
    "(ARRAY[t.$::text, 'x'])[1]",
    "array_to_string(ARRAY[t.$::text], '-')",
    "greatest(t.$::text, 'k')",
    "format('%s', t.$)",
  ],
  ...[
    'md5(t.$::text)',
    "encode(convert_to(t.$::text, 'UTF8'), 'hex')",
    "concat_ws('-', t.$, t.$)",
    'pg_typeof(t.$)::text',
  ],
  ...[
    "to_char(t.c0, '999')",
    'left(t.$::text, 1)',
    "translate(t.$::text, 'a', 'b')",
    "regexp_replace(t.$::text, '^.', '')",
  ],
  ...[
    '(t.$ IS NOT DISTINCT FROM t.$)::text',
    "(t.$::text = 'alpha')::text",
    "(t.$::text LIKE 'z%')::text",
    "(t.$::text = ANY (ARRAY['zulu']))::text",
  ],
  ...['joined(t.$::text) OVER (ORDER BY t.c0)', 'spying(t.$::text) OVER ()'],
  ...[
    'peek(t.c0)',
    'peeks(1)',
    'honest(t.$::text)',
    "honest('x')",
    "current_setting('application_name')",
    "'x'",
    'NULL',
  ],
  ...[
    "to_jsonb(t) #>> '{$}'",
    'hashtext(t.$::text)::text',
    'quote_literal(t.$::text)',
    'num_nulls(t.$, t.$)::text',
  ],
];
const COMPUTED_NUMBERS = [
  ...[
    't.c0 + 1',
    'length(t.$::text)',
    'ascii(t.$::text)',
    '(t.$ IS NULL)::int',
    "(t.$::text > 'k')::int",
    't.c0::bigint::int',
    '-t.c0',
    '1',
  ],
  ...[
    'row_number() OVER (ORDER BY t.$)::int',
    'rank() OVER (ORDER BY t.$)::int',
    'count(*) OVER (PARTITION BY t.$)::int',
    'ntile(2) OVER ()',
  ],
  ...[
    '(count(t.$) FILTER (WHERE t.$ IS NOT NULL) OVER ())::int',
    'coalesce(t.c0, 0)',
    'octet_length(t.$::text)',
    "strpos(t.$::text, 'a')",
  ],
];
/** What hands a column on as it is, or nearly. */
const CARRIED = [
  ...[
    't.$',
    't.$',
    't.$',
    't.$',
    't.$',
    '$',
    '(t.$)',
    't.$::text',
    't.$::varchar',
    't.$ COLLATE "C"',
    't.$::text COLLATE "C"',
    't.$::name',
  ],
  '(SELECT t.$)',
];

const some = (templates: readonly string[], of: Text) =>
  fc.constantFrom(...templates).chain((template) => filled(template, of, of, of));

/** A text of a row `t`; a number that is none is none of the kinds. */
export const text: Text = fc.oneof(
  { weight: 12, arbitrary: some(CARRIED, pick('c1', 'c2')) },
  { weight: 3, arbitrary: some(COMPUTED_TEXTS, column) },
);
export const number: Text = fc.oneof(
  { weight: 12, arbitrary: pick('t.c0', 't.c0', 'c0', 't.c0::int', '(SELECT t.c0)') },
  { weight: 2, arbitrary: some(COMPUTED_NUMBERS, column) },
);
/** A condition on a row `t`. */
export const condition: Text = fc.oneof(
  {
    weight: 6,
    arbitrary: pick(
      't.c0 > 1',
      't.c0 IN (1, 2, 3)',
      't.c0 BETWEEN 1 AND 3',
      'true',
      't.c0 IS NOT NULL',
      "t.c2 <> 'two 1'",
    ),
  },
  some(
    [
      't.$ IS NOT NULL',
      "t.$::text > 'k'",
      't.$::text = t.$::text',
      "t.$::text ~ '^[a-m]'",
      '(t.c0, t.$) > (1, NULL)',
      'NOT (t.$ IS NULL)',
    ],
    column,
  ),
);
