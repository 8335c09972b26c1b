import { isMapping, type Mapping, Mistake, type OpenApiDocument, own, type Place } from './document.ts';

/** Parameters that the query of an operation may have. */
export interface Parameters {
  /** Name → whether it may be there more than once. */
  readonly names: ReadonlyMap<string, boolean>;
  /** Objects whose members are written `filter[name]`. */
  readonly deep: ReadonlySet<string>;
}

interface Listed {
  readonly list: unknown;
  readonly place: Place;
}

/**
 * The query's parameters out of the lists of a path and of an operation.
 *
 * @throws {Mistake}
 * @see OpenAPI 3.1 §4.8.12
 */
export function readParameters(document: OpenApiDocument, lists: readonly Listed[]): Parameters {
  const names = new Map<string, boolean>();
  const deep = new Set<string>();
  for (const { list = [], place } of lists) {
    if (!Array.isArray(list)) throw new Mistake(place, 'is no list', 'write [{name: page, in: query}]');
    for (const [index, value] of list.entries()) {
      const at = [...place, String(index)];
      const parameter = document.mapping(value, at);
      if (own(parameter, 'in') !== 'query') continue;
      const name = own(parameter, 'name');
      if (typeof name !== 'string') throw new Mistake(at, 'has no name', 'write name: page');
      if (own(parameter, 'style') === 'deepObject') deep.add(name);
      else
        for (const one of namesOf(document, parameter, name, at))
          names.set(one, mayRepeat(document, parameter, at));
    }
  }
  return { names, deep };
}

/** An object that is written as a form gives each of its members a parameter of its own. */
function namesOf(document: OpenApiDocument, parameter: Mapping, name: string, place: Place): string[] {
  const schema = schemaOf(document, parameter, place);
  const properties = schema === undefined ? undefined : own(schema, 'properties');
  const exploded = own(parameter, 'explode') !== false && (own(parameter, 'style') ?? 'form') === 'form';
  return exploded && isMapping(properties) ? Object.keys(properties) : [name];
}

/** Only what is certainly one value may be there but once. */
function mayRepeat(document: OpenApiDocument, parameter: Mapping, place: Place): boolean {
  const schema = schemaOf(document, parameter, place);
  const type = schema === undefined ? undefined : own(schema, 'type');
  const types = Array.isArray(type) ? type : [type];
  return !types.every((one) => ['string', 'number', 'integer', 'boolean', 'null'].includes(one));
}

function schemaOf(document: OpenApiDocument, parameter: Mapping, place: Place): Mapping | undefined {
  const schema = own(parameter, 'schema');
  return isMapping(schema) ? document.mapping(schema, [...place, 'schema']) : undefined;
}

/** The first parameter that is not described, or is there again where it has one value; undefined: none. */
export function undescribed(
  { names, deep }: Parameters,
  asked: readonly (readonly [name: string, value: string])[],
): string | undefined {
  const seen = new Set<string>();
  for (const [name] of asked) {
    const repeats = names.get(name);
    const member = /^([^[\]]+)(?:\[[^[\]]*\])+$/.exec(name)?.[1];
    if (repeats === undefined && (member === undefined || !deep.has(member))) return name;
    if (repeats !== true && seen.has(name)) return name;
    seen.add(name);
  }
  return undefined;
}
