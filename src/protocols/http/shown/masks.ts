import type { MaskKind, PolicyObject } from '../../../policy/model.ts';
import type { DetectedValues } from '../../stream/detected-values.ts';
import type { Guard } from '../../stream/guard.ts';
import type { Method } from '../request/methods.ts';
import { matchesRoute } from '../request/route-pattern.ts';
import type { Classification } from './classification.ts';
import type { Detects } from './detects.ts';
import { FieldState, type MaskedField } from './json/field-states.ts';

/** What is masked of answers on one route, for one principal. */
export interface AnswerMasks {
  /** Anything may be masked in a body. */
  readonly any: boolean;
  /** Members by their paths; undefined: none. */
  readonly fields: FieldState | undefined;
  /** Undefined: whatever detectors find is shown. */
  readonly detects: Detects | undefined;
  /** How whole headers are masked, by name in lower case. */
  readonly headers: ReadonlyMap<string, MaskKind>;
}

/**
 * What one stream's principal may see of a resource's answers. Policy is asked once for each classified member and header,
 * and again when it has changed.
 */
export class ShownMasks {
  readonly #guard: Pick<Guard, 'reveal' | 'policyVersion'>;
  readonly #classification: Classification;
  readonly #detected: DetectedValues;
  /** By the routes of the classification that a request is on. */
  readonly #known = new Map<string, AnswerMasks>();
  #policyVersion = '';
  #headers: ReadonlyMap<string, MaskKind> = new Map();

  constructor(
    guard: Pick<Guard, 'reveal' | 'policyVersion'>,
    classification: Classification,
    detected: DetectedValues,
  ) {
    this.#guard = guard;
    this.#classification = classification;
    this.#detected = detected;
  }

  /** What is masked, by policy as it is now, in the answer to a request. @param segments Decoded. */
  of(method: Method, segments: readonly string[]): AnswerMasks {
    this.#refresh();
    const { routes } = this.#classification;
    const on = routes.flatMap(({ pattern }, index) =>
      matchesRoute(pattern, method, segments) ? [index] : [],
    );
    const key = on.join();
    const known = this.#known.get(key) ?? this.#made(on);
    if (this.#known.size < MAX_KNOWN) this.#known.set(key, known);
    return known;
  }

  /** Names of all that is masked in the answer to a request. @param segments Decoded. */
  named(method: Method, segments: readonly string[]): readonly string[] {
    this.#refresh();
    const { routes, headers } = this.#classification;
    const fields = routes.flatMap(({ pattern, fields }) =>
      matchesRoute(pattern, method, segments) ? fields.map(({ object }) => object) : [],
    );
    const objects = [...fields, ...headers.map(({ object }) => object)];
    const masked = objects.filter((object) => this.#maskOf(object) !== undefined).map(({ id }) => id);
    return this.#detected.masks ? [...masked, `${this.#detected.resource.id}/detected`] : masked;
  }

  #refresh(): void {
    const version = this.#guard.policyVersion();
    if (version === this.#policyVersion) return;
    this.#policyVersion = version;
    this.#known.clear();
    this.#detected.refresh();
    this.#headers = new Map(
      this.#classification.headers.flatMap(({ name, object }) => {
        const kind = this.#maskOf(object);
        return kind === undefined ? [] : [[name, kind] as const];
      }),
    );
  }

  #made(on: readonly number[]): AnswerMasks {
    const masked = on.flatMap((index) =>
      this.#classification.routes[index]!.fields.flatMap(({ path, object }): MaskedField[] => {
        const kind = this.#maskOf(object);
        return kind === undefined ? [] : [{ path, kind }];
      }),
    );
    const fields = FieldState.start(masked);
    const detects = this.#detected.masks ? this.#detected : undefined;
    return { any: fields !== undefined || detects !== undefined, fields, detects, headers: this.#headers };
  }

  #maskOf(object: PolicyObject): MaskKind | undefined {
    const reveal = this.#guard.reveal(object);
    return reveal.show ? undefined : reveal.mask;
  }
}

/** Sets of routes that are kept: a request chooses among those that the configuration makes possible. */
const MAX_KNOWN = 256;
