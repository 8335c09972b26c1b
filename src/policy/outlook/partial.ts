import {
  type CedarValueJson,
  type EntityJson,
  isAuthorizedPartial,
  type PolicyJson,
  type TypeAndId,
} from '@cedar-policy/cedar-wasm/nodejs';

/** What is certain of a rule, whatever is not known yet: it applies, it does not, or that depends. */
export type Said = 'yes' | 'no' | 'open';

export interface PartialRequest {
  readonly principal: TypeAndId;
  readonly action: string;
  /** `null`: of it not even the kind is known. */
  readonly resource: TypeAndId | null;
  readonly context: Readonly<Record<string, CedarValueJson>>;
  readonly entities: readonly EntityJson[];
  /** Texts by id. */
  readonly rules: Readonly<Record<string, string>>;
}

/**
 * Asks Cedar for as much as follows from what is known.
 *
 * @returns By id of the rule. Undefined: it would fail, or Cedar has failed as a whole.
 * @see https://docs.rs/cedar-policy/latest/cedar_policy/struct.Authorizer.html
 */
export function askPartially(request: PartialRequest): ReadonlyMap<string, Said> | undefined {
  const { principal, action, resource, context, entities, rules } = request;
  const answer = isAuthorizedPartial({
    principal,
    action: { type: 'Action', id: action },
    resource,
    context: context as Record<string, CedarValueJson>,
    entities: entities as EntityJson[],
    policies: { staticPolicies: rules as Record<string, string> },
  });
  if (answer.type === 'failure') return undefined;
  const { satisfied, errored, nontrivialResiduals, residuals } = answer.response;
  if (errored.length > 0) return undefined;
  const [yes, open] = [new Set(satisfied), new Set(nontrivialResiduals)];
  const said = (id: string): Said => (open.has(id) ? leftOf(residuals[id]) : yes.has(id) ? 'yes' : 'no');
  return new Map(Object.keys(rules).map((id) => [id, said(id)]));
}

/** What is left of a rule may turn on nothing that is open: Cedar keeps what stands before it, for it could fail. */
function leftOf(rule: PolicyJson | undefined): Said {
  if (rule === undefined) return 'open';
  const clauses = rule.conditions.map(({ kind, body }) =>
    kind === 'when' ? settled(body) : not(settled(body)),
  );
  if (clauses.includes(false)) return 'no';
  return clauses.includes(undefined) ? 'open' : 'yes';
}

/** @returns Undefined: that depends. */
function settled(node: unknown): boolean | undefined {
  if (typeof node !== 'object' || node === null) return undefined;
  const [[op, operands] = ['', undefined]] = Object.entries(node);
  if (op === 'Value') return typeof operands === 'boolean' ? operands : undefined;
  const of = (name: string) => settled((operands as Readonly<Record<string, unknown>>)[name]);
  if (op === '!') return not(of('arg'));
  if (op !== '&&' && op !== '||') return undefined;
  const sides = [of('left'), of('right')];
  const decides = op === '||';
  if (sides.includes(decides)) return decides;
  return sides.includes(undefined) ? undefined : !decides;
}

const not = (value: boolean | undefined) => (value === undefined ? undefined : !value);
