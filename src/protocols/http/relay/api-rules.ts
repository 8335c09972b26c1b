import { isHoopError } from '../../../core/errors.ts';
import { after, type Later } from '../../../core/later.ts';
import { type FieldPath, parseFieldPath } from '../../../masking/json/field-path.ts';
import { chosenFields, MAX_READ_BODY, readableBody } from '../request/body/chosen-fields.ts';
import type { CanonicalRequest } from '../request/canonical.ts';
import type { OpenApi } from '../request/openapi/openapi.ts';
import { isRefused, type Refused, refused } from '../request/refusals.ts';
import { matchesRoute, parseRoute, type RoutePattern } from '../request/route-pattern.ts';
import type { ApiMeaning, Understood } from './meaning.ts';
import { type RequestFacts, understoodBy } from './question.ts';

interface ChosenRoute {
  readonly route: RoutePattern;
  readonly paths: readonly FieldPath[];
}

/** What the configuration tells of one API: its description, and the members of bodies that rules look at. */
export class ApiRules implements ApiMeaning {
  readonly #openapi: OpenApi | undefined;
  readonly #base: readonly string[];
  readonly #chosen: readonly ChosenRoute[];

  /**
   * @param base The target's base path: `/v1`, or empty.
   * @param fields Route → paths of members; both can be read.
   */
  constructor(
    openapi: OpenApi | undefined,
    base: string,
    fields: Readonly<Record<string, readonly string[]>>,
  ) {
    this.#openapi = openapi;
    this.#base = base.split('/').filter((segment) => segment !== '');
    this.#chosen = Object.entries(fields).map(([route, paths]) => ({
      route: parseRoute(route)!,
      paths: paths.map((path) => parseFieldPath(path)!),
    }));
  }

  /** Members that rules look at in what is sent on the route of this request. */
  pathsOf({ method, segments }: CanonicalRequest): readonly FieldPath[] {
    const chosen = this.#chosen.filter(({ route }) => matchesRoute(route, method, segments));
    return chosen.flatMap(({ paths }) => paths);
  }

  read(request: CanonicalRequest, whole: Whole): Later<Understood | Refused> {
    return after(this.facts(request, whole), (facts) =>
      isRefused(facts) ? facts : understoodBy(request, facts),
    );
  }

  /**
   * What is known of a request; at once where its body is not looked at.
   *
   * @param whole Reads the body, of so many octets at most; fails with `ERR_TOO_LARGE` where it is longer.
   * @returns Refused: the API is not described so, or a body that rules look at cannot be read. Fails as `whole` does.
   */
  facts(request: CanonicalRequest, whole: Whole): Later<RequestFacts | Refused> {
    const found = this.#openapi?.operationOf(request, this.#base);
    if (found !== undefined && isRefused(found)) return found;
    const operation = found?.operation;
    const paths = this.pathsOf(request);
    if (request.body === 'none' || paths.length === 0)
      return { operation, fields: [], bodyWhole: request.body === 'none' };
    const body = readableBody(request);
    if (isRefused(body)) return body;
    if (body.kind === 'none') return { operation, fields: [], bodyWhole: true };
    const { kind } = body;
    return whole(MAX_READ_BODY).then((octets) => {
      const read = chosenFields(octets, kind, paths);
      return isRefused(read) ? read : { operation, fields: read.fields, bodyWhole: true };
    }, tooLong);
  }
}

type Whole = Parameters<ApiMeaning['read']>[1];

function tooLong(error: unknown): Refused {
  if (isHoopError(error) && error.code === 'ERR_TOO_LARGE')
    return refused(
      'body-too-large',
      `rules look at this body, and it is longer than ${MAX_READ_BODY} octets`,
    );
  throw error;
}
