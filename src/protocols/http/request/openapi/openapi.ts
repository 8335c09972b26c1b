import type { CanonicalRequest } from '../canonical.ts';
import type { Method } from '../methods.ts';
import { isRefused, type Refused, refused } from '../refusals.ts';
import { isMapping, type Mapping, Mistake, OpenApiDocument, type OpenApiMistake, own } from './document.ts';
import { type ApiOperation, readOperations } from './operations.ts';
import { undescribed } from './parameters.ts';
import { bySpecificity, isAsSpecific, matchesTemplate } from './template.ts';

/** An API as its OpenAPI file describes it: which operation a request is, and that it is none beside. */
export class OpenApi {
  readonly operations: readonly ApiOperation[];
  /** By how many segments a path has, the most specific first. */
  readonly #bySegments: ReadonlyMap<number, readonly ApiOperation[]>;
  /** Segments below which the paths are, of each server. */
  readonly #bases: readonly (readonly string[])[];
  /** Parameters in which an API key may be shown. */
  readonly #keys: ReadonlySet<string>;

  private constructor(
    operations: readonly ApiOperation[],
    bases: readonly (readonly string[])[],
    keys: ReadonlySet<string>,
  ) {
    this.operations = operations;
    this.#bases = bases;
    this.#keys = keys;
    const sorted = operations.toSorted((a, b) => bySpecificity(a.template, b.template));
    this.#bySegments = Map.groupBy(sorted, ({ template }) => template.segments.length);
  }

  /**
   * Reads an OpenAPI file of version 3.0, 3.1 or 3.2, YAML or JSON. References lead to places in the file itself.
   *
   * Pure. What it describes beside paths, query and types of bodies is not looked at.
   *
   * @returns The first mistake, if there is one. Never throws.
   * @see https://spec.openapis.org/oas/v3.1.1.html
   */
  static read(text: string): { readonly api: OpenApi } | { readonly mistake: OpenApiMistake } {
    const document = OpenApiDocument.read(text);
    if (!(document instanceof OpenApiDocument)) return { mistake: document };
    try {
      demandVersion(document.root);
      return { api: new OpenApi(readOperations(document), basesOf(document), keysOf(document)) };
    } catch (error) {
      if (error instanceof Mistake) return { mistake: document.mistake(error) };
      throw error;
    }
  }

  /**
   * The operation that a request is.
   *
   * @param base Segments of the target's own base path: servers are described with theirs.
   * @returns Refused: path and method are not described, or two descriptions fit of which neither is the more specific;
   *   the query has a parameter that is not described, or twice what is one value; there is a body of a type that is not.
   */
  operationOf(
    request: CanonicalRequest,
    base: readonly string[],
  ): { readonly operation: ApiOperation } | Refused {
    const found = this.#find(request.method, [...base, ...request.segments]);
    if (isRefused(found)) return found;
    const { operation } = found;
    const asked = request.parameters.filter(([name]) => !this.#keys.has(name));
    const unknown = undescribed(operation.parameters, asked);
    if (unknown !== undefined)
      return refused(
        'parameter-not-described',
        'the query has a parameter that is not described, or has it twice',
      );
    if (request.body !== 'none' && !isEmpty(request.body) && !accepts(operation, request.contentType))
      return refused('content-type-not-described', 'a body of this type is not described for the operation');
    return found;
  }

  #find(method: Method, segments: readonly string[]): { readonly operation: ApiOperation } | Refused {
    const fits = this.#bases
      .filter((base) => base.every((one, at) => segments[at] === one))
      .flatMap((base) => this.#matching(method, segments.slice(base.length)));
    const [best, ...others] = fits;
    if (best === undefined)
      return refused('operation-not-described', 'the API describes no operation of this method and path');
    if (others.every((other) => other === best || isAsSpecific(best.template, other.template)))
      return { operation: best };
    return refused('operation-not-described', 'the API describes two operations that this could be');
  }

  /** HEAD is described with GET. */
  #matching(method: Method, segments: readonly string[]): ApiOperation[] {
    const candidates = this.#bySegments.get(segments.length) ?? [];
    const of = (asked: Method) =>
      candidates.filter((one) => one.method === asked && matchesTemplate(one.template, segments));
    const fits = of(method);
    return fits.length === 0 && method === 'HEAD' ? of('GET') : fits;
  }
}

function isEmpty(body: CanonicalRequest['body']): boolean {
  return typeof body === 'object' && body.length === 0;
}

function accepts({ contentTypes }: ApiOperation, contentType: string): boolean {
  if (contentType === '') return false;
  const range = `${contentType.split('/')[0]}/*`;
  return contentTypes.some((type) => type === contentType || type === range || type === '*/*');
}

function demandVersion(root: Mapping): void {
  const version = own(root, 'openapi');
  if (typeof version === 'string' && /^3\.[0-2](?:\.|$)/.test(version)) return;
  if (own(root, 'swagger') !== undefined)
    throw new Mistake(['swagger'], 'is version 2', 'convert it to OpenAPI 3');
  throw new Mistake(['openapi'], 'is no version that is read', 'write openapi: 3.1.0');
}

/** Paths of the servers, their variables at their defaults. */
function basesOf(document: OpenApiDocument): string[][] {
  const servers = own(document.root, 'servers') ?? [];
  if (!Array.isArray(servers)) throw new Mistake(['servers'], 'is no list', 'write [{url: /v1}]');
  const bases = servers.map((value, at) =>
    basePath(document.mapping(value, ['servers', String(at)]), String(at)),
  );
  const distinct = new Map([...(bases.length === 0 ? [[]] : bases)].map((base) => [base.join('/'), base]));
  return [...distinct.values()];
}

function basePath(server: Mapping, index: string): string[] {
  const variables = own(server, 'variables');
  const text = String(own(server, 'url') ?? '/').replaceAll(/\{([^{}]*)\}/g, (_, name: string) => {
    const variable = isMapping(variables) ? own(variables, name) : undefined;
    return isMapping(variable) ? String(own(variable, 'default') ?? '') : '';
  });
  const url = URL.parse(text, 'http://target.invalid/');
  if (url === null) throw new Mistake(['servers', index, 'url'], 'is no URL', 'write url: /v1');
  return url.pathname.split('/').filter((one) => one !== '');
}

/** Query parameters that a security scheme names. */
function keysOf(document: OpenApiDocument): Set<string> {
  const components = own(document.root, 'components');
  const schemes = isMapping(components) ? own(components, 'securitySchemes') : undefined;
  if (!isMapping(schemes)) return new Set();
  const found = Object.entries(schemes).map(([name, value]) =>
    document.mapping(value, ['components', 'securitySchemes', name]),
  );
  const inQuery = found.filter((scheme) => own(scheme, 'type') === 'apiKey' && own(scheme, 'in') === 'query');
  return new Set(inQuery.map((scheme) => String(own(scheme, 'name'))));
}
