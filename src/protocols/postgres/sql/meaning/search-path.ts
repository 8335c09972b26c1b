/**
 * `search_path` as text: which schemas it lists, and which lists are harmless.
 *
 * @see https://www.postgresql.org/docs/current/runtime-config-client.html#GUC-SEARCH-PATH
 */

/** Nothing but what is searched anyway, or what no schema is called. */
const HARMLESS: ReadonlySet<string> = new Set(['', 'pg_catalog', 'pg_temp']);
const ENTRY = /^\s*(?:"((?:[^"]|"")*)"|([A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*))\s*(,|$)/;
/** What identifiers are cut to, octets of UTF-8. */
const MAX_OCTETS = 63;

/**
 * Splits a list as a startup parameter and `set_config` give it: names by commas, quoted or folded to lower case.
 *
 * @returns Undefined for what is no such list: the server refuses it. Pure.
 */
export function schemasOf(text: string): readonly string[] | undefined {
  const names: string[] = [];
  let rest = text;
  if (rest.trim() === '') return names;
  for (;;) {
    const entry = ENTRY.exec(rest);
    if (entry === null) return undefined;
    const [all, quoted, plain, comma] = entry;
    names.push(cut(quoted?.replaceAll('""', '"') ?? asciiLower(plain ?? '')));
    rest = rest.slice(all.length);
    if (comma === '') return names;
  }
}

/**
 * Whether setting the path to this list needs no right that the session has not: the list is configured for the resource,
 * it is how the session began, or it leaves nothing but PostgreSQL's own schema. PostgreSQL's own before it and `pg_temp` behind
 * it change nothing that anything rests upon.
 */
export function isPermittedPath(
  schemas: readonly string[] | undefined,
  permitted: readonly (readonly string[])[],
): boolean {
  if (schemas === undefined) return false;
  if (schemas.every((name) => HARMLESS.has(name))) return true;
  const chosen = withoutEnds(schemas);
  return [schemas, chosen].some((list) =>
    permitted.some((one) => one.length === list.length && one.every((name, i) => name === list[i])),
  );
}

/** Without what is searched anyway, before all others, and without temporary tables behind all others: before them they are looked up anyway. */
function withoutEnds(schemas: readonly string[]): readonly string[] {
  const from = schemas[0] === 'pg_catalog' ? 1 : 0;
  const to = schemas.at(-1) === 'pg_temp' ? schemas.length - 1 : schemas.length;
  return schemas.slice(from, to);
}

function asciiLower(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

function cut(name: string): string {
  const octets = Buffer.from(name);
  if (octets.length <= MAX_OCTETS) return name;
  let end = MAX_OCTETS;
  while (((octets[end] ?? 0) & 0xc0) === 0x80) end--;
  return octets.toString('utf8', 0, end);
}
