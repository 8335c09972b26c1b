import type { Mistake } from '../../core/config/mistake.ts';
import type { LoadedPolicy, PolicySet } from '../../policy/load.ts';
import { isAbout } from '../../policy/sight.ts';

const GRANT = 'approval.grant';

/**
 * Approvals that nobody could ever give, and such as would lift nothing: what waits for them waits for ever, or is denied.
 *
 * Pure. Whoever may be meant by a condition that is not understood is taken to be permitted.
 *
 * @returns One warning for each rule, in the order of the policies.
 */
export function strangeApprovals({ policies, vocabulary }: PolicySet): Mistake[] {
  const grants = policies.filter(
    ({ effect, sight }) => effect === 'permit' && isAbout(GRANT, sight, vocabulary),
  );
  return policies.flatMap((policy) => {
    const { approval, id, file, line, texts } = policy;
    if (approval === undefined) return [];
    const [rule, name] = [JSON.stringify(id), JSON.stringify(approval)];
    const told = (problem: string, cure: string) => [{ file, line, column: 1, path: '', problem, cure }];
    if (!texts.includes(approval))
      return told(
        `rule ${rule} names the approval ${name}, and no condition of it asks for that: nothing lifts it`,
        `write unless { context.approvals.contains(${name}) }`,
      );
    if (grants.some((grant) => mayGrant(grant, approval))) return [];
    return told(
      `rule ${rule} waits for the approval ${name}, which no rule permits anybody to give`,
      `permit (principal in Group::${name}, action == Action::"${GRANT}", resource) when { resource.name == ${name} }`,
    );
  });
}

function mayGrant({ sight, texts, text, named }: LoadedPolicy, approval: string): boolean {
  if (sight === undefined || !sight.resource.attrs.includes('name')) return true;
  return texts.includes(approval) || text.includes(' like ') || named.some(({ type }) => type === 'Approval');
}
