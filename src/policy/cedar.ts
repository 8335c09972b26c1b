import {
  type AuthorizationAnswer,
  type CedarValueJson,
  type CheckParseAnswer,
  type EntityJson,
  type PolicyJson,
  preparsePolicySet,
  preparseSchema,
  statefulIsAuthorized,
  type TypeAndId,
} from '@cedar-policy/cedar-wasm/nodejs';
import type { Vocabulary } from './vocabulary/index.ts';

export interface CedarRequest {
  readonly principal: TypeAndId;
  readonly action: string;
  readonly resource: TypeAndId;
  readonly context: Readonly<Record<string, CedarValueJson>>;
  readonly entities: readonly EntityJson[];
}

/** Cedar's answer for one principal. `errors` non-empty is a denial, whatever `allowed` says. */
export interface CedarAnswer {
  readonly allowed: boolean;
  /** Ids of the policies that decided. */
  readonly reasons: readonly string[];
  readonly errors: readonly string[];
}

/** One set of policies that Cedar holds, and the vocabulary of its schema. */
interface Slot {
  owner: CedarPolicies | undefined;
  vocabulary: Vocabulary | undefined;
  usedAt: number;
}

/**
 * What Cedar holds, and for whom. The library keeps parsed policies for the whole thread and never frees an id, so who
 * owns which must be known for the whole thread too: a few slots, the longest unused one is taken over, and its former
 * owner parses again when it is next asked. Engines that live side by side during a reload never mix.
 */
const thread = {
  ticks: 0,
  slots: Array.from({ length: 4 }, (): Slot => ({ owner: undefined, vocabulary: undefined, usedAt: 0 })),
};

/** One set of policies inside Cedar. */
export class CedarPolicies {
  readonly #policies: Record<string, string | PolicyJson>;
  readonly #vocabulary: Vocabulary;

  /**
   * @param policies By id.
   * @throws {Error} Cedar cannot take them: never expected of what `loadPolicies` has let through.
   */
  constructor(policies: Record<string, string | PolicyJson>, vocabulary: Vocabulary) {
    this.#policies = policies;
    this.#vocabulary = vocabulary;
    this.#slot();
  }

  /** @throws {Error} Cedar failed as a whole: deny. */
  ask(request: CedarRequest): CedarAnswer {
    const id = this.#slot();
    const answer = statefulIsAuthorized({
      principal: request.principal,
      action: { type: 'Action', id: request.action },
      resource: request.resource,
      context: request.context as Record<string, CedarValueJson>,
      entities: request.entities as EntityJson[],
      preparsedPolicySetId: id,
      preparsedSchemaName: id,
      validateRequest: true,
    });
    return read(answer);
  }

  /** Id of the slot that holds these policies and their schema, parsed again if another set has taken it over. */
  #slot(): string {
    const { slots } = thread;
    const own = slots.findIndex(({ owner }) => owner === this);
    const index =
      own === -1 ? slots.reduce((best, { usedAt }, i) => (usedAt < slots[best]!.usedAt ? i : best), 0) : own;
    const id = `hoop-${index}`;
    const slot = slots[index]!;
    if (own === -1) {
      slot.owner = undefined;
      this.#parseInto(slot, id);
      slot.owner = this;
    }
    slot.usedAt = ++thread.ticks;
    return id;
  }

  #parseInto(slot: Slot, id: string): void {
    if (slot.vocabulary !== this.#vocabulary) {
      slot.vocabulary = undefined;
      demand(preparseSchema(id, this.#vocabulary.parsedSchema()));
      slot.vocabulary = this.#vocabulary;
    }
    demand(preparsePolicySet(id, { staticPolicies: this.#policies }));
  }
}

function read(answer: AuthorizationAnswer): CedarAnswer {
  if (answer.type === 'failure') {
    return { allowed: false, reasons: [], errors: answer.errors.map(({ message }) => message) };
  }
  const { decision, diagnostics } = answer.response;
  return {
    allowed: decision === 'allow',
    reasons: diagnostics.reason,
    errors: diagnostics.errors.map(({ policyId, error }) => `${policyId}: ${error.message}`),
  };
}

function demand(answer: CheckParseAnswer): void {
  if (answer.type === 'failure') throw new Error(answer.errors.map(({ message }) => message).join('; '));
}
