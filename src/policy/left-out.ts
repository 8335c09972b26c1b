import type { PolicyJson } from '@cedar-policy/cedar-wasm/nodejs';

/**
 * Whether a rule hides by tags what one type of entity holds, and so leaves out what detectors find, which has the same
 * tags. A rule that asks for `detected` does so on purpose. Pure; never throws.
 *
 * @param verbs Verbs and groups that the rule's head names.
 */
export function leavesOutDetected(
  { effect, resource, conditions }: PolicyJson,
  verbs: readonly string[],
): boolean {
  if (effect !== 'forbid' || !verbs.includes('reveal')) return false;
  const text = JSON.stringify([resource, conditions]);
  const oneType = text.includes('"entity_type":');
  const asks = (attribute: string) => text.includes(`"attr":"${attribute}"`);
  return oneType && asks('tags') && !asks('detected');
}
