import { type FieldPath, parseFieldPath } from '../../../masking/json/field-path.ts';
import type { PolicyObject } from '../../../policy/model.ts';
import type { Method } from '../request/methods.ts';
import { matchesRoute, parseRoute } from '../request/route-pattern.ts';

/** As configured: tags of members by route and path, and of headers by name. */
export interface ConfiguredClassification {
  readonly fields: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
  readonly headers: Readonly<Record<string, readonly string[]>>;
}

/** What is classified of one resource, as policy is asked about it. */
export interface Classification {
  readonly routes: readonly ClassifiedRoute[];
  readonly headers: readonly ClassifiedHeader[];
  /** Whether whatever stands at this path is known to everybody: nothing is masked there. Undefined: nothing is. */
  readonly isOpen?: (segments: readonly string[]) => boolean;
}

/** What is classified in answers to some requests. */
export interface ClassifiedRoute {
  /** @param segments Decoded. Pure. */
  matches(method: Method, segments: readonly string[]): boolean;
  readonly fields: readonly ClassifiedField[];
  /** Texts that are documents of their own, in which the same members are classified. */
  readonly documents?: readonly FieldPath[];
}

export interface ClassifiedField {
  readonly path: FieldPath;
  readonly object: PolicyObject;
  /** Clients take its text for base64: so must they what stands for it. */
  readonly base64?: boolean;
  /** The target has forms of its own in which it stands at another place: none of them is asked for where it is masked. */
  readonly elsewhere?: boolean;
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
    if (pattern === undefined) return [];
    const matches: ClassifiedRoute['matches'] = (method, segments) => matchesRoute(pattern, method, segments);
    return [{ matches, fields: fieldsOf(resource, route, fields) }];
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
  return [...new Set([...routes.flatMap(({ fields }) => fields), ...headers].map(({ object }) => object))];
}

/** As policy is asked about it. Pure. @param route Where it is; empty: everywhere. @param name Its path, or a header's name. */
export function fieldObject(
  resource: PolicyObject,
  route: string,
  name: string,
  tags: readonly string[],
): PolicyObject {
  const attrs = { schema: '', table: route, name, tags: [...tags], detected: false };
  return { type: 'Field', id: `${resource.id}/${route}#${name}`, attrs, parent: resource };
}
