import { type Ast, strings } from '../../facts/ast.ts';
import type { AnalysisCatalog, AnalysisRelation, AnalysisType } from '../catalog.ts';
import { Uncertain } from '../uncertain.ts';

/** A name as it is written: `['=']`, `['pg_catalog', '=']`. */
export type QualifiedName = readonly string[];

/**
 * Where in the path a namespace stands, of functions and operators; below 0: nowhere. The session's own temporary one does
 * not count.
 */
export function pathPosition(catalog: AnalysisCatalog, namespace: number): number {
  return namespace === catalog.temporary ? -1 : catalog.path.indexOf(namespace);
}

/**
 * The schema that is written before a name.
 *
 * @returns Undefined: none is.
 */
export function explicitNamespace(catalog: AnalysisCatalog, name: QualifiedName): number | undefined {
  if (name.length < 2) return undefined;
  const namespace = catalog.namespace(name.at(-2) as string);
  if (namespace === undefined) throw new Uncertain('a schema that is not known');
  return namespace;
}

/** Before, a call in SQL's own words was one like any other. */
const OWN_WORDS = 14;

/** Whether a `FuncCall` counts as written in SQL's own words, such as `trim(BOTH 'x' FROM name)`. */
export function isInOwnWords({ major }: AnalysisCatalog, call: Ast): boolean {
  return call['funcformat'] === 'COERCE_SQL_SYNTAX' && major >= OWN_WORDS;
}

/** What a `FuncCall` calls: EXTRACT had no function of its own before 14. */
export function calledName({ major }: AnalysisCatalog, call: Ast): QualifiedName {
  const name = strings(call['funcname']);
  const isExtract = call['funcformat'] === 'COERCE_SQL_SYNTAX' && name.at(-1) === 'extract';
  return isExtract && major < OWN_WORDS ? ['pg_catalog', 'date_part'] : name;
}

/** The relation that a name stands for: `RangeVarGetRelid`. */
export function relationNamed(catalog: AnalysisCatalog, name: QualifiedName): AnalysisRelation {
  const found = first(catalog, name, catalog.relationsNamed(name.at(-1) as string));
  if (found === undefined) throw new Uncertain('a relation that is not known');
  return found;
}

/** The type that a name stands for; undefined: none. */
export function typeNamed(catalog: AnalysisCatalog, name: QualifiedName): AnalysisType | undefined {
  return first(catalog, name, catalog.typesNamed(name.at(-1) as string));
}

function first<T extends { readonly namespace: number }>(
  catalog: AnalysisCatalog,
  name: QualifiedName,
  all: readonly T[],
): T | undefined {
  const explicit = explicitNamespace(catalog, name);
  if (explicit !== undefined) return all.find(({ namespace }) => namespace === explicit);
  for (const namespace of catalog.path) {
    const found = all.find((one) => one.namespace === namespace);
    if (found !== undefined) return found;
  }
  return undefined;
}
