import {
  type AuthorizationAnswer,
  type CedarValueJson,
  type CheckParseAnswer,
  type EntityJson,
  preparsePolicySet,
  preparseSchema,
  statefulIsAuthorized,
  type TypeAndId,
} from '@cedar-policy/cedar-wasm/nodejs';
import type { PolicySet } from './load.ts';
import { parsedSchema } from './schema.ts';

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

const SCHEMA_SLOT = 'hoop';

/**
 * What Cedar holds, and for whom. The library keeps parsed policies for the whole thread and never frees an id, so who
 * owns which must be known for the whole thread too: a few slots, the longest unused one is taken over, and its former
 * owner parses again when it is next asked. Engines that live side by side during a reload never mix.
 */
const thread = {
  schemaParsed: false,
  ticks: 0,
  slots: Array.from({ length: 4 }, (): { owner: CedarPolicies | undefined; usedAt: number } => ({
    owner: undefined,
    usedAt: 0,
  })),
};

/** One set of policies inside Cedar. */
export class CedarPolicies {
  readonly #texts: Record<string, string>;

  /** @throws {Error} Cedar cannot take what `loadPolicies` has let through: never expected. */
  constructor(set: PolicySet) {
    this.#texts = Object.fromEntries(set.policies.map(({ id, text }) => [id, text]));
    this.#slot();
  }

  /** @throws {Error} Cedar failed as a whole: deny. */
  ask(request: CedarRequest): CedarAnswer {
    const answer = statefulIsAuthorized({
      principal: request.principal,
      action: { type: 'Action', id: request.action },
      resource: request.resource,
      context: request.context as Record<string, CedarValueJson>,
      entities: request.entities as EntityJson[],
      preparsedPolicySetId: this.#slot(),
      preparsedSchemaName: SCHEMA_SLOT,
      validateRequest: true,
    });
    return read(answer);
  }

  /** Id of the slot that holds these policies, parsed again if another set has taken it over. */
  #slot(): string {
    const { slots } = thread;
    const own = slots.findIndex(({ owner }) => owner === this);
    const index =
      own === -1 ? slots.reduce((best, { usedAt }, i) => (usedAt < slots[best]!.usedAt ? i : best), 0) : own;
    const id = `hoop-${index}`;
    if (own === -1) {
      slots[index] = { owner: undefined, usedAt: 0 };
      if (!thread.schemaParsed) demand(preparseSchema(SCHEMA_SLOT, parsedSchema()));
      thread.schemaParsed = true;
      demand(preparsePolicySet(id, { staticPolicies: this.#texts }));
    }
    slots[index] = { owner: this, usedAt: ++thread.ticks };
    return id;
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
