import { quotedName } from '../../../core/quoted-name.ts';
import { maskValue } from '../../../masking/mask.ts';
import type { Catalog, Relation } from '../catalog/model/model.ts';
import type { SessionMasks } from '../shown/masks.ts';
import type { Replaced, WrittenAnew } from '../shown/written-anew.ts';
import type { MaskedRead } from '../sql/meaning/flow/masked-reads.ts';
import type { CatalogView } from './catalog-view.ts';
import type { Planned } from './planner.ts';

/** A name as it may be written, with the parts before it: without blanks, comments or escapes of Unicode. */
const NAME = /(?:"(?:[^"]|"")+"|[\p{L}_][\p{L}\p{N}_$]*)(?:\.(?:"(?:[^"]|"")+"|[\p{L}_][\p{L}\p{N}_$]*))*/uy;
/** Behind it: more of the name, an escape of Unicode, `*` of what inherits, a sample, or a comment in which one begins. */
const MORE = /\s*(?:[.&*]|--|\/\*|tablesample\b)/iuy;

/** OID of the schema. */
const PG_CATALOG = 11;
/** Domains of domains. */
const MAX_DEPTH = 16;
const NOTHING = new Uint8Array();

type Masks = Pick<SessionMasks, 'maskOf' | 'shapeOf'>;

/** What is asked in place of a query that would be refused for computing with masked columns. */
export class MaskedQueries {
  readonly #catalog: Pick<CatalogView, 'fresh'>;
  readonly #masks: Masks;

  constructor(catalog: Pick<CatalogView, 'fresh'>, masks: Masks) {
    this.#catalog = catalog;
    this.#masks = masks;
  }

  /** @returns Undefined: it is not such a query, or none can be written. */
  of({
    text,
    planned: { plans },
  }: {
    readonly text: string | undefined;
    readonly planned: Planned;
  }): WrittenAnew | undefined {
    const reads = plans.length === 1 ? plans[0]?.maskedReads : undefined;
    if (reads === undefined || text === undefined) return undefined;
    const catalog = this.#catalog.fresh?.catalog;
    return catalog && maskedQuery(text, reads, catalog, this.#masks);
  }
}

/**
 * Writes a query anew so that relations with masked columns are read without these: where such a relation stood stands a
 * subquery with its columns, of which the masked ones are constants. What is masked is not named in it any more.
 *
 * Nothing is taken on trust of what comes of it: it is a text as if the client had sent it, and is judged as that.
 *
 * @param reads In the order of the text.
 * @returns Undefined: a name is written in a way that is not understood, or a type cannot be named. Pure.
 */
function maskedQuery(
  text: string,
  reads: readonly MaskedRead[],
  catalog: Catalog,
  masks: Masks,
): WrittenAnew | undefined {
  const octets = Buffer.from(text);
  const columns = new Set<string>();
  const replaced: Replaced[] = [];
  let made = '';
  let from = 0;
  for (const { at, relation: oid, name } of reads) {
    const relation = catalog.relations.get(oid);
    const start = octets.toString('utf8', 0, at).length;
    const end = endOfName(text, start);
    if (relation === undefined || end === undefined || start < from) return undefined;
    const source = sourceOf(relation, catalog, masks, columns);
    if (source === undefined) return undefined;
    made += text.slice(from, start);
    const place = { start: made.length, ownStart: start, ownEnd: end };
    made += name === undefined ? source : `${source} AS ${quotedName(name)}`;
    replaced.push({ ...place, end: made.length });
    from = end;
  }
  return { text: made + text.slice(from), own: text, replaced, columns: [...columns] };
}

function endOfName(text: string, start: number): number | undefined {
  NAME.lastIndex = start;
  const end = NAME.test(text) ? NAME.lastIndex : undefined;
  MORE.lastIndex = end ?? 0;
  return end === undefined || MORE.test(text) ? undefined : end;
}

function sourceOf(
  { oid, schema, name, columns }: Relation,
  catalog: Catalog,
  masks: Masks,
  masked: Set<string>,
): string | undefined {
  const items: string[] = [];
  for (const column of [...columns.values()].toSorted((one, other) => one.attnum - other.attnum)) {
    const mask = masks.maskOf({ relation: oid, attribute: column.attnum });
    const type = mask === undefined ? undefined : baseOf(column.typeOid, catalog);
    const shown =
      mask === undefined ? '' : type && `${constant(type.oid, mask === 'null', masks)}::${type.name} AS `;
    if (shown === undefined) return undefined;
    if (mask !== undefined) masked.add(`${schema}.${name}.${column.name}`);
    items.push(`${shown}${quotedName(column.name)}`);
  }
  return `(SELECT ${items.join(', ')} FROM ${quotedName(schema)}.${quotedName(name)})`;
}

/** What a value that is hidden whole looks like, whatever its mask would leave of it: what is computed with that tells more. */
function constant(type: number, isNull: boolean, masks: Masks): string {
  const masked = maskValue(NOTHING, isNull ? 'null' : 'redact', masks.shapeOf(type));
  return masked === null ? 'NULL' : `'${Buffer.from(masked).toString('latin1')}'`;
}

/** A type, or what a domain is made of: a constant of the domain would have to pass its checks. */
function baseOf(oid: number, catalog: Catalog): { readonly oid: number; readonly name: string } | undefined {
  // No name is looked up.
  const types = catalog.analysis({ schemas: [] });
  let type = types.type(oid);
  for (let depth = 0; type?.kind === 'd' && depth < MAX_DEPTH; depth++) type = types.type(type.base);
  if (type === undefined || type.kind === 'd') return undefined;
  // To people a type of users is its schema, a dot, and its name.
  const schema =
    type.namespace === PG_CATALOG
      ? 'pg_catalog'
      : catalog.types.nameOf(type.oid).slice(0, -type.name.length - 1);
  return { oid: type.oid, name: `${quotedName(schema)}.${quotedName(type.name)}` };
}
