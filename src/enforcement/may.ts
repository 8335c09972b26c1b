import type { MayItem } from '../api/contract.ts';
import type { Turns } from '../core/turns.ts';
import type { Principal } from '../identity/principal.ts';
import type { PolicyObject } from '../policy/model.ts';
import type { Effect, Outlook, PolicyOutlook } from '../policy/outlook/outlook.ts';
import type { Vocabulary } from '../policy/vocabulary/index.ts';
import type { VerbRow } from '../policy/vocabulary/row.ts';
import { attenuated } from './attenuated.ts';

/** What an outlook needs: the policies in force, the words that they are written in, and the thread that all share. */
export interface MayDeps {
  readonly outlook: PolicyOutlook;
  readonly vocabulary: Vocabulary;
  readonly turns: Pick<Turns, 'spent' | 'next'>;
}

/** In this order they are told. */
const ORDER = ['allow', 'hold', 'depends', 'deny'] as const;

/**
 * Says what somebody may do at a resource: of each verb what every object and every request of it would get, or that it depends.
 *
 * By the policies and by what the instance gave up; adapters refuse more. Asks policy of nothing that exists, and tells of nothing
 * that exists but the resource: for those who may see that.
 *
 * @param verbs Of the resource's protocol.
 * @returns Verbs of one answer together, groups folded: what is allowed first, what is refused last. Never rejects.
 */
export async function mayAt(
  { outlook, vocabulary, turns }: MayDeps,
  principal: Principal,
  resource: PolicyObject,
  verbs: readonly VerbRow[],
): Promise<readonly MayItem[]> {
  const answers = new Map<string, Outlook>();
  const told = new Map<string, { readonly item: Omit<MayItem, 'actions'>; readonly verbs: string[] }>();
  for (const row of verbs) {
    const kinds: Outlook[] = [];
    for (const type of row.on) {
      const key = `${outlook.likeness(row.verb)} ${type}`;
      const answer = answers.get(key) ?? outlook.of(principal, row.verb, type, resource);
      answers.set(key, answer);
      kinds.push(within(answer, principal, row, { type, resource, vocabulary }));
      if (turns.spent) await turns.next();
    }
    const item = itemOf(kinds);
    const key = JSON.stringify(item);
    const same = told.get(key) ?? { item, verbs: [] };
    told.set(key, { item, verbs: [...same.verbs, row.verb] });
  }
  const items = [...told.values()].map(({ item, verbs: some }) => ({
    actions: vocabulary.foldVerbs(some),
    ...item,
  }));
  return items.sort((a, b) => ORDER.indexOf(a.effect) - ORDER.indexOf(b.effect));
}

interface At {
  readonly type: string;
  readonly resource: PolicyObject;
  readonly vocabulary: Vocabulary;
}

/** What the instance gave up is refused: of a verb that is left on some objects, on the others. */
function within(
  outlook: Outlook,
  principal: Principal,
  row: VerbRow,
  { type, resource, vocabulary }: At,
): Outlook {
  const object =
    type === resource.type ? resource : { type, id: `${resource.id}/`, attrs: {}, parent: resource };
  if (attenuated(principal, { action: row.verb, object }, vocabulary) === undefined) return outlook;
  const effects = new Set<Effect>(row.always === undefined ? [] : outlook.effects);
  return { ...outlook, effects: effects.add('deny') };
}

function itemOf(kinds: readonly Outlook[]): Omit<MayItem, 'actions'> {
  const all = new Set(kinds.flatMap(({ effects }) => [...effects]));
  const among = (['allow', 'hold', 'deny'] as const).filter((effect) => all.has(effect));
  const names = [...new Set(kinds.flatMap(({ approvals }) => approvals))].sort();
  const approvals = all.has('hold') && names.length > 0 ? { approvals: names } : {};
  const [only, ...more] = among;
  if (only !== undefined && more.length === 0) return { effect: only, ...approvals };
  return { effect: 'depends', among, ...approvals };
}
