import type { Attenuation, Principal } from '../identity/principal.ts';
import type { Pair, PolicyObject, RuleRef } from '../policy/model.ts';

const ANY_OBJECT = () => true;
const isOf = (name: string, ...values: readonly string[]) => {
  return ({ attrs }: PolicyObject) => values.some((value) => attrs[name] === value);
};

/**
 * What every client needs and what changes nothing of anyone's data: left with whatever `--only` names. Functions only
 * where they compute or look into the catalogs, settings only where they cannot change how SQL is read.
 */
const ALWAYS: Readonly<Record<string, (object: PolicyObject) => boolean>> = {
  connect: ANY_OBJECT,
  reveal: ANY_OBJECT,
  'sql.show': ANY_OBJECT,
  'sql.transaction': ANY_OBJECT,
  'sql.set': ({ attrs }) => attrs['safe'] === true,
  'sql.call': isOf('class', 'pure', 'catalog'),
};

/** What `--read-only` leaves beside it. A closed list: a verb that is added later writes until somebody says otherwise. */
const READING: ReadonlySet<string> = new Set([
  'sql.select',
  // To the client only; to a file or a program is `sql.admin` as well.
  'sql.copy-out',
  'audit.search',
  'audit.export',
  'recording.view',
  'session.list',
]);

/**
 * Says whether the principal's instance gave up what a pair asks for. It can only take away: what is left is still
 * policy's to decide.
 *
 * Pure.
 *
 * @param principal Of the session or the request.
 * @param pair One action on one object.
 * @returns Undefined if nothing stands in the way, else what to tell as the rule that denies. Never throws.
 * @see docs/decisions/0006-attenuation.md
 */
export function attenuated(principal: Principal, { action, object }: Pair): RuleRef | undefined {
  const { attenuation } = principal;
  if (attenuation === undefined) return undefined;
  const { resources } = attenuation;
  if (resources !== undefined && !isBelow(object, resources)) {
    return rule(`this connection is limited to ${listed(resources)}`, '--only');
  }
  if (ALWAYS[action]?.(object) === true) return undefined;
  if (attenuation.readOnly && !READING.has(action))
    return rule('this connection may only read', '--read-only');
  return byActions(attenuation, action);
}

function byActions({ actions }: Attenuation, action: string): RuleRef | undefined {
  if (actions === undefined || actions.includes(action)) return undefined;
  return rule(`this connection was opened without ${action}`, '--only');
}

function rule(reason: string, option: string): RuleRef {
  const hint = `${option} took it away when this connection was opened: open another one without it, or do without`;
  return { id: 'attenuated', reason, hint };
}

function listed(names: readonly string[]): string {
  return names.length === 0 ? 'no resource' : names.join(', ');
}

/** Whether the object hangs in one of the resources; what hangs in none, as the audit log, does not. */
function isBelow(object: PolicyObject, resources: readonly string[]): boolean {
  for (let at: PolicyObject | undefined = object; at !== undefined; at = at.parent) {
    if (at.type === 'Resource') return resources.includes(at.id);
  }
  return false;
}
