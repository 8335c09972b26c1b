import type { MaskedData } from '../../../enforcement/operation.ts';
import { FieldState, type MaskedField } from '../../../masking/json/field-states.ts';
import type { Mask } from '../../../masking/mask.ts';
import type { Detects } from '../../../masking/pieces/detects.ts';
import type { PolicyObject } from '../../../policy/model.ts';
import type { DetectedValues } from '../../stream/detected-values.ts';
import type { Guard } from '../../stream/guard.ts';
import type { Method } from '../request/methods.ts';
import type { Classification } from './classification.ts';
import type { FieldPseudonyms } from './field-pseudonyms.ts';

/** What is masked of answers on one route, for one principal. */
export interface AnswerMasks {
  /** Anything may be masked in a body. */
  readonly any: boolean;
  /** Members by their paths; undefined: none. */
  readonly fields: FieldState | undefined;
  /** One of them may stand at another place in some forms of an answer. */
  readonly elsewhere: boolean;
  /** Undefined: whatever detectors find is shown. */
  readonly detects: Detects | undefined;
  /** How whole headers are masked, by name in lower case. */
  readonly headers: ReadonlyMap<string, Mask>;
  /** All of it, each once. */
  readonly hidden: readonly MaskedData[];
}

/**
 * What one stream's principal may see of a resource's answers. Policy is asked once for each classified member and header,
 * and again when it has changed.
 */
export class ShownMasks {
  readonly #guard: Pick<Guard, 'reveal' | 'policyVersion'>;
  readonly #classification: Classification;
  readonly #detected: DetectedValues;
  readonly #pseudonyms: Pick<FieldPseudonyms, 'of'> | undefined;
  /** By the routes of the classification that a request is on. */
  readonly #known = new Map<string, AnswerMasks>();
  #policyVersion = '';
  #headers: ReadonlyMap<string, Mask> = new Map();

  /** @param pseudonyms Absent: what would be shown by one is hidden whole. */
  constructor(
    guard: Pick<Guard, 'reveal' | 'policyVersion'>,
    classification: Classification,
    detected: DetectedValues,
    pseudonyms?: Pick<FieldPseudonyms, 'of'>,
  ) {
    this.#guard = guard;
    this.#pseudonyms = pseudonyms;
    this.#classification = classification;
    this.#detected = detected;
  }

  /** What is masked, by policy as it is now, in the answer to a request. @param segments Decoded. */
  of(method: Method, segments: readonly string[]): AnswerMasks {
    this.#refresh();
    const { routes, isOpen } = this.#classification;
    if (isOpen?.(segments)) return NOTHING_MASKED;
    const on = routes.flatMap((route, index) => (route.matches(method, segments) ? [index] : []));
    const key = on.join();
    const known = this.#known.get(key) ?? this.#made(on);
    if (this.#known.size < MAX_KNOWN) this.#known.set(key, known);
    return known;
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
    const { routes, headers } = this.#classification;
    const hidden = new Map<string, PolicyObject>();
    const kindOf = (object: PolicyObject) => {
      const kind = this.#maskOf(object);
      if (kind !== undefined) hidden.set(object.id, object);
      return kind;
    };
    let anyElsewhere = false;
    const masked = on.flatMap((index) =>
      routes[index]!.fields.flatMap(({ path, object, base64 = false, elsewhere }): MaskedField[] => {
        const kind = kindOf(object);
        if (kind === undefined) return [];
        anyElsewhere ||= elsewhere === true;
        return [{ path, kind, base64 }];
      }),
    );
    const documents = on.flatMap((index) => routes[index]!.documents ?? []);
    for (const { object } of headers) kindOf(object);
    const fields = FieldState.start(masked, documents);
    const detects = this.#detected.masks ? this.#detected : undefined;
    const any = fields !== undefined || detects !== undefined;
    return {
      any,
      fields,
      elsewhere: anyElsewhere,
      detects,
      headers: this.#headers,
      hidden: [
        ...[...hidden].map(([name, object]) => ({ name, objects: [object] })),
        ...(detects === undefined ? [] : [this.#detected.hidden]),
      ],
    };
  }

  #maskOf(object: PolicyObject): Mask | undefined {
    const reveal = this.#guard.reveal(object);
    if (reveal.show) return undefined;
    return reveal.mask === 'pseudonym' ? (this.#pseudonyms?.of(object) ?? 'redact') : reveal.mask;
  }
}

const NOTHING_MASKED: AnswerMasks = {
  any: false,
  fields: undefined,
  elsewhere: false,
  detects: undefined,
  headers: new Map(),
  hidden: [],
};

/** Sets of routes that are kept: a request chooses among those that the configuration makes possible. */
const MAX_KNOWN = 256;
