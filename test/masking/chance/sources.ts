import fc from 'fast-check';
import type { Major } from '../../attacks/world.ts';
import { NAMES } from './schema.ts';
import { column, condition, filled, number, pick, type Text, text } from './values.ts';

const selected = fc.tuple(number, text, text).map(([a, b, c]) => `${a} AS c0, ${b} AS c1, ${c} AS c2`);
/** Names that are not queries: of these a whole row can be told. */
const named = pick(...NAMES.filter((name) => /^\w+$/.test(name)));
const JSON_ROWS = `'[{"c0":1,"c1":"alpha"},{"c0":2,"c1":"zulu"}]'`;

/** What may stand behind WHERE and FROM of a query over `t`. */
const endings = (from: Text): Text =>
  fc.oneof(
    { weight: 12, arbitrary: pick('') },
    { weight: 4, arbitrary: condition.map((one) => `WHERE ${one}`) },
    { weight: 2, arbitrary: filled('ORDER BY t.$', column) },
    { weight: 1, arbitrary: filled('ORDER BY t.$, t.$ LIMIT 2', column, column) },
    {
      weight: 3,
      arbitrary: pick(
        'ORDER BY 1',
        'ORDER BY 2 LIMIT 2',
        'ORDER BY c2',
        'LIMIT 2',
        'GROUP BY 1, 2, 3',
        'OFFSET 1',
        'ORDER BY t.c0 DESC NULLS LAST FETCH FIRST 2 ROWS WITH TIES',
      ),
    },
    filled('WHERE EXISTS (SELECT * FROM $ u WHERE u.c0 = t.c0)', from),
    filled('WHERE t.c0 IN (SELECT c0 FROM $ u)', from),
    filled('WHERE t.$ = ANY (SELECT u.$ FROM $ u)', pick('c1', 'c2'), pick('c1', 'c2'), from),
    filled('WHERE t.c0 > (SELECT count(*) FROM $ u WHERE u.c2 = t.c1)', from),
    filled('WHERE (t.c0, t.$) NOT IN (SELECT u.c0, u.$ FROM $ u)', pick('c1', 'c2'), pick('c1', 'c2'), from),
    filled('WINDOW w AS (PARTITION BY t.$ ORDER BY t.$)', column, column),
  );

/** Queries that came with a release after 15. */
const newer = (one: Text): Text =>
  fc.oneof(
    filled(
      "(SELECT t.c0, JSON_OBJECT('k': t.$) ->> 'k' AS c1, JSON_ARRAY(t.$)::text AS c2 FROM $ t)",
      column,
      column,
      one,
    ),
    filled(
      "(SELECT t.c0, JSON_ARRAYAGG(t.$ ORDER BY t.c0) OVER ()::text AS c1, JSON_VALUE(to_jsonb(t), '#.$') AS c2 FROM $ t)",
      column,
      column,
      one,
    ).map((text) => text.replace('#', '$')),
    filled(
      "(SELECT j.c0, j.c1, t.c2 FROM $ t, JSON_TABLE(to_jsonb(t), '#' COLUMNS (c0 int PATH '#.c0', c1 text PATH '#.$')) j)",
      one,
      column,
    ).map((text) => text.replaceAll('#', '$')),
    filled('(SELECT any_value(t.c0) AS c0, any_value(t.$) AS c1, t.c2 FROM $ t GROUP BY t.c2)', column, one),
  );

/** Queries in brackets, and names, that give c0, c1 and c2. */
export function sources(major: Major): Text {
  return fc.letrec<{ source: string; rest: string }>((tie) => {
    const one = tie('source') as Text;
    const rest = tie('rest') as Text;
    const late = major < 18 ? [] : [{ weight: 3, arbitrary: newer(one) }];
    return {
      rest: endings(one),
      source: fc.oneof(
        { maxDepth: 4, withCrossShrink: true },
        {
          weight: 28,
          arbitrary: fc.oneof(
            { weight: 9, arbitrary: pick(...NAMES) },
            pick("(SELECT 2 AS c0, 'zulu'::text AS c1, 'two 2'::text AS c2)"),
          ),
        },
        { weight: 6, arbitrary: filled('(SELECT $ FROM $ t $)', selected, one, rest) },
        { weight: 2, arbitrary: filled('(SELECT * FROM $ t $)', one, rest) },
        filled('(SELECT DISTINCT t.c0, t.c1, t.c2 FROM $ t)', one),
        filled('(SELECT DISTINCT ON (t.c$) t.c0, t.c1, t.c2 FROM $ t)', pick('0', '2', '0, t.c2', '1'), one),
        filled(
          '(SELECT c0, c1, c2 FROM (SELECT c0, c2, c1 FROM $ x) $)',
          one,
          pick('t', 't (c0, c1, c2)', 't (c0)'),
        ),
        filled(
          '(SELECT $, u.c1 AS c3 FROM $ t $ JOIN $ u ON t.$::text = u.$::text)',
          selected,
          one,
          pick('LEFT', 'FULL', 'INNER'),
          one,
          column,
          column,
        ),
        filled(
          '(SELECT $ FROM $ t $)',
          selected,
          one,
          pick(
            'CROSS JOIN plain u',
            'NATURAL JOIN plain u',
            'JOIN people u USING (c0)',
            'LEFT JOIN people u USING (c0, c2) ',
          ),
        ),
        filled(
          '(SELECT * FROM $ t JOIN $ u $)',
          one,
          one,
          pick('USING (c0)', 'USING (c0, c1)', 'USING (c0) AS k', 'USING (c0, c1, c2)'),
        ),
        filled(
          '(SELECT j.a AS c0, j.f AS c1, j.b AS c2 FROM ($ t CROSS JOIN $ u) AS j (a, b, d, e, f))',
          one,
          one,
        ),
        filled(
          '(SELECT t.c0, v.c1, v.c2 FROM $ t, LATERAL (SELECT $ AS c1, u.c2 FROM $ u WHERE u.c0 = t.c0) v)',
          one,
          text,
          one,
        ),
        filled(
          '(SELECT t.c0, v.c1, t.c2 FROM $ t LEFT JOIN LATERAL (SELECT u.c1 FROM $ u ORDER BY u.$ LIMIT 1) v ON true)',
          one,
          one,
          column,
        ),
        {
          weight: 2,
          arbitrary: filled(
            '(SELECT c0, c1, c2 FROM $ t $ SELECT c0, c2, c1 FROM $ u $)',
            one,
            pick('UNION ALL', 'UNION ALL', 'UNION', 'EXCEPT', 'EXCEPT ALL', 'INTERSECT'),
            one,
            pick('', '', 'ORDER BY 2', 'LIMIT 3'),
          ),
        },
        filled(
          '(WITH w AS $(SELECT * FROM $ t), people (c0, c2, c1) AS (SELECT c0, c1, c2 FROM $ t) SELECT t.c0, t.c1, u.c2 FROM w t, people u)',
          pick('', 'MATERIALIZED '),
          one,
          one,
        ),
        filled(
          '(WITH RECURSIVE r (n, c0, c1, c2) AS (SELECT 0, t.c0, t.c1, t.c2 FROM $ t $ SELECT n + 1, c0, $ FROM r WHERE n < 2 $) SELECT c0, c1, c2 FROM r)',
          one,
          pick('UNION ALL', 'UNION ALL', 'UNION'),
          pick('c2, c1', 'c1, c2', "c1, 'x'", 'upper(c1), c2'),
          pick('', "AND c1 > 'k'"),
        ),
        filled(
          '(WITH RECURSIVE r AS (SELECT t.c0, t.c1, t.c2 FROM $ t UNION ALL SELECT r.c0 + 1, r.c1, r.c2 FROM r WHERE r.c0 < 3) $ SELECT c0, $, c2 FROM r)',
          one,
          pick(
            'SEARCH DEPTH FIRST BY c0 SET o',
            'SEARCH BREADTH FIRST BY c1 SET o',
            'CYCLE c0 SET y USING p',
            'CYCLE c1 SET y USING p',
            '',
          ),
          pick('c1', 'c1', 'o::text AS c1', 'p::text AS c1', 'y::text AS c1'),
        ),
        filled(
          '(SELECT c0, (SELECT u.$ FROM $ u $ LIMIT 1) AS c1, (SELECT $(*) FROM $ u)::text AS c2 FROM $ t)',
          pick('c1', 'c2'),
          one,
          pick('WHERE u.c0 = t.c0', 'ORDER BY u.c0', 'ORDER BY u.c1', ''),
          pick('count'),
          one,
          one,
        ),
        filled(
          '(SELECT $(t.c0) AS c0, $(t.$) AS c1, max(t.c2) AS c2 FROM $ t GROUP BY t.$ $)',
          pick('min', 'max'),
          pick('max', 'min'),
          pick('c1', 'c2'),
          one,
          column,
          pick('', 'HAVING count(*) > 1', "HAVING max(t.c1) > 'k'"),
        ),
        filled(
          '(SELECT t.c0, t.$ AS c1, count(*)::text AS c2 FROM $ t GROUP BY $ (t.c0, t.$))',
          pick('c1', 'c2'),
          one,
          pick('ROLLUP', 'CUBE', 'GROUPING SETS ((t.c0), ()),'),
          pick('c1', 'c2'),
        ),
        filled(
          "(SELECT count(*)::int AS c0, string_agg(t.$, ',' ORDER BY t.$) AS c1, (array_agg(t.$))[1]::text AS c2 FROM $ t)",
          pick('c1', 'c2'),
          column,
          column,
          one,
        ),
        filled(
          '(SELECT mode() WITHIN GROUP (ORDER BY t.c0) AS c0, percentile_disc(0.5) WITHIN GROUP (ORDER BY t.$) AS c1, min(t.c2) AS c2 FROM $ t)',
          pick('c1', 'c2'),
          one,
        ),
        filled(
          `(SELECT f.c0, f.c1, t.c2 FROM $ t $ json_to_recordset(${JSON_ROWS}) AS f (c0 int, c1 text))`,
          one,
          pick('CROSS JOIN', 'NATURAL JOIN'),
        ),
        filled("(SELECT t.c0, s AS c1, t.c2 FROM $ t, unnest(ARRAY[t.$, 'p']) s)", one, pick('c1', 'c2')),
        filled('(SELECT t.c0, e.key AS c1, e.value AS c2 FROM $ t, json_each_text(row_to_json(t)) e)', one),
        filled('(SELECT r.c0, r.c1, r.c2 FROM $ t, jsonb_populate_record(NULL::plain, to_jsonb(t)) r)', one),
        ...late,
        filled(
          "(SELECT t.c0, x.c1, t.c2 FROM $ t, XMLTABLE('/a' PASSING xmlelement(name a, t.$) COLUMNS c1 text PATH '.') x)",
          one,
          column,
        ),
        filled(
          '(SELECT t.c0, t.c1, t.c2 FROM $ t TABLESAMPLE BERNOULLI (100) REPEATABLE (1))',
          pick('people', 'plain', 'family', 'parts'),
        ),
        filled(
          '(SELECT g AS c0, t.c1, t.c2 FROM $ t, generate_series(1, $) g)',
          one,
          pick('2', 't.c0', 'length(t.c1)'),
        ),
        filled('(SELECT t.c0, (t.r).c1, (t.r).c2 FROM (SELECT u.c0, u AS r FROM $ u) t)', named),
        filled(
          '(SELECT (t.r).c0, $(t.r) AS c1, (t.r).$ AS c2 FROM (SELECT u AS r FROM people u $) t $)',
          pick('card', 'card', 'card_kept', 'card_kept', 'telling', 'deciding', 'whole'),
          pick('c1', 'c2', 'c2'),
          pick(
            '',
            'WHERE u.c0 > 1',
            'WHERE card(u) IS NOT NULL',
            'ORDER BY u',
            'UNION ALL SELECT u FROM people u',
          ),
          pick(
            '',
            '',
            'ORDER BY (t.r).$',
            'WHERE (t.r).c1 > t.r::text',
            'GROUP BY t.r',
            'WHERE t.r IS NOT NULL',
          ).map((one) => one.replace('$', 'c0')),
        ),
        filled(
          '(WITH w AS $(SELECT u AS r, u.c0 FROM $ u) SELECT (w.r).c0, (w.r).$ AS c1, (SELECT (x.r).$ FROM (SELECT v AS r FROM $ v LIMIT 1) x) AS c2 FROM w JOIN $ t ON t.c0 = (w.r).$)',
          pick('', 'MATERIALIZED '),
          named,
          pick('c1', 'c2'),
          pick('c1', 'c2'),
          named,
          one,
          pick('c0', 'c0', 'c1::int'),
        ),
        filled(
          '(SELECT min(t.c0) AS c0, $(t.$ $) AS c1, t.c2 FROM $ t GROUP BY t.c2)',
          pick('joined', 'joined', 'spying'),
          pick('c1', 'c2'),
          pick('', 'ORDER BY t.c0', 'ORDER BY t.c1'),
          one,
        ),
        filled(
          '(SELECT t.c0, ($ || t.c1) AS c1, w2.c2 FROM ROWS FROM (generate_series(1, 2), unnest(ARRAY[1, 2])) AS w (c0, c2n), $ t, LATERAL (SELECT t.c2) w2 (c2), plain w3)',
          pick("''"),
          one,
        ),
        filled(
          "(SELECT n AS c0, most_common_vals::text AS c1, histogram_bounds::text AS c2 FROM pg_stats, generate_series(1, 1) n WHERE tablename = '$')",
          pick('people', 'plain', 'parts_1'),
        ),
      ),
    };
  }).source;
}
