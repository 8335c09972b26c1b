import type { PolicyObject } from '../../../policy/model.ts';
import { type FieldPath, parseFieldPath } from '../request/body/field-path.ts';
import { parseRoute, type RoutePattern } from '../request/route-pattern.ts';

/** As configured: tags of members by route and path, and of headers by name. */
export interface ConfiguredClassification {
  readonly fields: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
  readonly headers: Readonly<Record<string, readonly string[]>>;
}

/** What is classified of one resource, as policy is asked about it. */
export interface Classification {
  readonly routes: readonly ClassifiedRoute[];
  readonly headers: readonly ClassifiedHeader[];
}

interface ClassifiedRoute {
  readonly pattern: RoutePattern;
  readonly fields: readonly { readonly path: FieldPath; readonly object: PolicyObject }[];
}

interface ClassifiedHeader {
  /** In lower case. */
  readonly name: string;
  readonly object: PolicyObject;
}

/**
 * Pure.
 *
 * @param configured Checked: every route and every path can be read.
 */
export function classification(resource: PolicyObject, configured: ConfiguredClassification): Classification {
  const routes = Object.entries(configured.fields).flatMap(([route, fields]) => {
    const pattern = parseRoute(route);
    return pattern === undefined ? [] : [{ pattern, fields: fieldsOf(resource, route, fields) }];
  });
  const headers = Object.entries(configured.headers).map(([name, tags]) => ({
    name: name.toLowerCase(),
    object: fieldObject(resource, '', name.toLowerCase(), tags),
  }));
  return { routes, headers };
}

function fieldsOf(
  resource: PolicyObject,
  route: string,
  fields: Readonly<Record<string, readonly string[]>>,
): ClassifiedRoute['fields'] {
  return Object.entries(fields).flatMap(([text, tags]) => {
    const path = parseFieldPath(text);
    return path === undefined ? [] : [{ path, object: fieldObject(resource, route, text, tags) }];
  });
}

/** All that policy may be asked about. */
export function classifiedObjects({ routes, headers }: Classification): readonly PolicyObject[] {
  return [...routes.flatMap(({ fields }) => fields), ...headers].map(({ object }) => object);
}

/** @param route Where it is; empty: everywhere. @param name Its path, or a header's name. */
function fieldObject(
  resource: PolicyObject,
  route: string,
  name: string,
  tags: readonly string[],
): PolicyObject {
  const attrs = { schema: '', table: route, name, tags: [...tags], detected: false };
  return { type: 'Field', id: `${resource.id}/${route}#${name}`, attrs, parent: resource };
}
