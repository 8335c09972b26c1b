import { policyToJson } from '@cedar-policy/cedar-wasm/nodejs';

/** What of a rule a stand-in for an object could answer wrongly, or a stand-in for an action. */
export interface RuleFacts {
  /** Ids of entities that it names, in its head or its conditions. */
  readonly named: readonly string[];
  /** It asks whether the object or the context has a fact: `resource has name`. */
  readonly asksForPresence: boolean;
  /** Its conditions look at the action: verbs of one head may get different answers. */
  readonly looksAtAction: boolean;
}

/**
 * Reads them from a rule's tree.
 *
 * Pure. @param text One policy, as `loadPolicies` has let it through. Whatever cannot be read may do all of it.
 */
export function ruleFacts(text: string): RuleFacts {
  const answer = policyToJson(text);
  if (answer.type === 'failure') return { named: [''], asksForPresence: true, looksAtAction: true };
  const { resource, conditions } = answer.json;
  const found = { named: [] as string[], asksForPresence: false, looksAtAction: false };
  look(resource, found);
  look(conditions, found);
  return found;
}

type Found = { -readonly [K in keyof RuleFacts]: RuleFacts[K] } & { named: string[] };

function look(node: unknown, found: Found): void {
  if (typeof node !== 'object' || node === null) return;
  const tree = node as Readonly<Record<string, unknown>>;
  if (typeof tree['type'] === 'string' && typeof tree['id'] === 'string') found.named.push(tree['id']);
  if (tree['Var'] === 'action') found.looksAtAction = true;
  if (isOfRequest(tree['has'])) found.asksForPresence = true;
  for (const child of Object.values(tree)) look(child, found);
}

function isOfRequest(has: unknown): boolean {
  if (typeof has !== 'object' || has === null || !('left' in has)) return false;
  const { left } = has;
  const name = typeof left === 'object' && left !== null && 'Var' in left ? left.Var : undefined;
  return name === 'resource' || name === 'context';
}
