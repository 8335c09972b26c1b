/**
 * A database's schema as the session is shown it: the server's own catalogs, read through the tunnel as any statement, and what
 * policy makes of each relation, told by the engine that decides.
 */

import { z } from 'zod';
import type { ResourceItem } from '../../../../api/contract.ts';
import type { ExplainedColumn, Explanation } from '../../../../api/explanation.ts';
import { quotedName } from '../../../../core/quoted-name.ts';
import { explained } from '../../beforehand.ts';
import type { GatewayDesk } from '../../desk.ts';
import { RESOURCE } from '../../operation.ts';
import { tool } from '../../tool.ts';
import { DATA, shownName, shownText, textOf } from '../../words.ts';
import { questionOf } from './operation.ts';
import { ran } from './statement.ts';
import { maskOf } from './values.ts';

const MAX_RELATIONS = 200;
const MAX_TABLES = 10;
const MAX_COLUMNS = 1_000;
/** Relations whose reading is explained at once: each is one operation of at least one pair, and so many pairs are told. */
const AT_ONCE = 16;
const BYTES = 512 * 1024;
const COMMENT_CHARS = 500;

const RELATIONS = `SELECT n.nspname, c.relname,
  CASE c.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'f' THEN 'foreign table' ELSE 'table' END
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition
  AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)'
  AND ($1::text IS NULL OR n.nspname = $1)
ORDER BY n.nspname, c.relname`;

const COLUMNS = `SELECT a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod), a.attnotnull, a.atthasdef,
  d.description
FROM pg_catalog.pg_attribute a
JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_description d
  ON d.objoid = c.oid AND d.objsubid = a.attnum AND d.classoid = 'pg_catalog.pg_class'::pg_catalog.regclass
WHERE n.nspname = $1 AND c.relname = $2 AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attnum`;

const CONSTRAINTS = `SELECT pg_catalog.pg_get_constraintdef(k.oid)
FROM pg_catalog.pg_constraint k
JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = $1 AND c.relname = $2 AND k.contype IN ('p', 'u', 'f')
ORDER BY k.contype DESC, k.conname`;

const NAME = z.string().min(1).max(63);

export const describeSchema = tool({
  name: 'describe_schema',
  title: 'Describe a database',
  description:
    'Describes a PostgreSQL database as you may see it. Without tables: all tables and views, whether you may read each, and ' +
    'which of their columns come masked. With tables: their columns with types, keys and masks. Call it before you write SQL.',
  input: z.strictObject({
    resource: RESOURCE,
    schema: NAME.optional().describe('Only of this schema. With tables: theirs, default public.'),
    tables: z.array(NAME).min(1).max(MAX_TABLES).optional().describe('Describe these in detail.'),
  }),
  output: z.object({
    untrusted: z.string(),
    relations: z
      .array(
        z.object({
          schema: z.string(),
          name: z.string(),
          kind: z.string(),
          read: z
            .enum(['permitted', 'needs an approval', 'denied', 'not certain'])
            .describe('Whether a SELECT of all its columns would run.'),
          masked: z.array(z.string()).optional().describe('Its columns that come masked.'),
        }),
      )
      .optional(),
    tables: z
      .array(
        z.object({
          schema: z.string(),
          name: z.string(),
          read: z.enum(['permitted', 'needs an approval', 'denied']),
          why: z.string().optional(),
          columns: z.array(
            z.object({
              name: z.string(),
              type: z.string(),
              required: z.boolean().optional(),
              default: z.boolean().optional(),
              comment: z.string().optional(),
              mask: z.string().optional(),
            }),
          ),
          keys: z.array(z.string()).optional(),
        }),
      )
      .optional(),
    cut: z.boolean().optional().describe('There are more: name a schema.'),
  }),
  protocol: 'postgres',
  outside: true,
  seconds: () => 60,
  async run({ resource, schema, tables }, { desk, signal }) {
    const item = await desk.resource(resource, 'postgres');
    const at = new Database(desk, item, signal);
    if (tables === undefined) return { untrusted: DATA, ...(await at.relations(schema)) };
    const described = [];
    for (const name of tables) described.push(await at.table(schema ?? 'public', name));
    return { untrusted: DATA, tables: described };
  },
});

interface Relation {
  readonly schema: string;
  readonly name: string;
  readonly kind: string;
}

class Database {
  readonly #desk: GatewayDesk;
  readonly #item: ResourceItem;
  readonly #signal: AbortSignal;

  constructor(desk: GatewayDesk, item: ResourceItem, signal: AbortSignal) {
    this.#desk = desk;
    this.#item = item;
    this.#signal = signal;
  }

  async relations(schema: string | undefined) {
    const { rows, cut } = await this.#rows(RELATIONS, [schema ?? null], MAX_RELATIONS);
    const all = rows.map(([of = '', name = '', kind = '']) => ({
      schema: of ?? '',
      name: name ?? '',
      kind: kind ?? '',
    }));
    const relations = [];
    for (let from = 0; from < all.length; from += AT_ONCE) {
      const some = all.slice(from, from + AT_ONCE);
      const explanation = await this.#explained({ sql: some.map(readingOf).join('; '), many: true });
      relations.push(...some.map((one) => shownRelation(this.#item.name, one, explanation)));
    }
    return { relations, ...(cut ? { cut } : {}) };
  }

  async table(schema: string, name: string) {
    const [columns, constraints, explanation] = await Promise.all([
      this.#rows(COLUMNS, [schema, name], MAX_COLUMNS),
      this.#rows(CONSTRAINTS, [schema, name], MAX_COLUMNS),
      this.#explained({ sql: readingOf({ schema, name }) }),
    ]);
    const { effect, told, columns: shown = [] } = explanation;
    const masks = new Map(shown.map((column) => [column.name, column]));
    const keys = constraints.rows.map(([definition]) => shownName(definition ?? '', COMMENT_CHARS));
    return {
      schema: shownName(schema),
      name: shownName(name),
      read: READ[effect],
      ...(told === undefined
        ? {}
        : { why: shownText(`${told.rule}: ${told.message}; ${told.hint}`, COMMENT_CHARS) }),
      columns: columns.rows.map((row) => shownColumn(row, masks)),
      ...(keys.length === 0 ? {} : { keys }),
    };
  }

  async #rows(sql: string, params: (string | null)[], most: number) {
    const bounds = { rows: most, bytes: BYTES };
    const { rows, cut } = await ran(
      this.#desk,
      this.#item,
      questionOf({ sql, params }),
      bounds,
      this.#signal,
    );
    const texts = rows.map((row) => row.map((value) => (value === null ? null : (textOf(value) ?? ''))));
    return { rows: texts, cut: cut !== undefined };
  }

  /** @param many Several statements, which are not prepared. */
  #explained({ sql, many }: { readonly sql: string; readonly many?: true }): Promise<Explanation> {
    const question = many === undefined ? questionOf({ sql }) : { text: sql, parameters: [] };
    return explained(this.#desk, this.#item.name, question, this.#signal);
  }
}

const READ = { allow: 'permitted', hold: 'needs an approval', deny: 'denied' } as const;

function readingOf({ schema, name }: Pick<Relation, 'schema' | 'name'>): string {
  return `SELECT * FROM ${quotedName(schema)}.${quotedName(name)}`;
}

/** What is said of one relation among those that were explained at once. */
function shownRelation(
  resource: string,
  { schema, name, kind }: Relation,
  { pairs, masked = [] }: Explanation,
) {
  const id = `${resource}/${schema}.${name}`;
  const own = pairs.filter(({ object }) => object === id).map(({ effect }) => effect);
  const effect = (['deny', 'hold', 'allow'] as const).find((one) => own.includes(one));
  const columns = masked
    .filter((one) => one.startsWith(`${id}.`))
    .map((one) => shownName(one.slice(id.length + 1)));
  return {
    schema: shownName(schema),
    name: shownName(name),
    kind,
    read: effect === undefined ? ('not certain' as const) : READ[effect],
    ...(columns.length === 0 ? {} : { masked: columns }),
  };
}

function shownColumn(
  [name, type, required, byDefault, comment]: readonly (string | null)[],
  masks: ReadonlyMap<string, ExplainedColumn>,
) {
  return {
    name: shownName(name ?? ''),
    type: shownName(type ?? ''),
    ...(required === 't' ? { required: true } : {}),
    ...(byDefault === 't' ? { default: true } : {}),
    ...(comment == null ? {} : { comment: shownText(comment, COMMENT_CHARS) }),
    ...maskOf(masks.get(name ?? '')),
  };
}
