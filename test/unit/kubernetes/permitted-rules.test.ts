import { expect, it } from 'vitest';
import { permittedOf } from '../../../src/protocols/kubernetes/reviews/rules.ts';

const answer = (resourceRules: object[], nonResourceRules: object[] = []) =>
  ({
    kind: 'SelfSubjectRulesReview',
    status: { resourceRules, nonResourceRules, incomplete: false },
  }) as never;
const rule = (verbs: string[], resources: string[], resourceNames: string[] = []) => ({
  verbs,
  apiGroups: [''],
  resources,
  resourceNames,
});
/** Policy permits to get alone. */
const weighs = (asked: (...one: never[]) => { readonly pairs: readonly { readonly action: string }[] }) => {
  const { pairs } = asked(
    ...([{ type: 'Resource', id: 'k8s', attrs: {} }, (text: string) => text] as never[]),
  );
  const permitted = pairs.every(({ action }) => action === 'k8s.get' || action === 'k8s.discover');
  return { decision: { effect: permitted ? 'allow' : 'deny', rules: [] } };
};

it('of what a cluster permits what policy permits as well is left', async () => {
  const told = answer(
    [
      rule(['get', 'list'], ['pods']),
      rule(['*'], ['secrets'], ['a']),
      rule(['delete'], ['nodes']),
      rule(['get'], ['*']),
    ],
    [{ verbs: ['get'], nonResourceURLs: ['/version', '/logs/*', '*'] }],
  );
  const { status } = (await permittedOf(told, 'shop', weighs as never)) as {
    status: Record<string, unknown>;
  };
  expect(status['resourceRules']).toEqual([
    { verbs: ['get'], apiGroups: [''], resources: ['pods'] },
    { verbs: ['get'], apiGroups: [''], resources: ['secrets'], resourceNames: ['a'] },
  ]);
  expect(status['nonResourceRules']).toEqual([{ verbs: ['get'], nonResourceURLs: ['/version'] }]);
  expect(status).toMatchObject({
    incomplete: true,
    evaluationError: expect.stringContaining('without naming them'),
  });
});

it('others have their turn while a long list is asked about', async () => {
  const rules = Array.from({ length: 1_000 }, (_one, at) => rule(['get'], [`kinds${at}`]));
  const slow: typeof weighs = (asked) => {
    const until = performance.now() + 0.2;
    while (performance.now() < until);
    return weighs(asked);
  };
  let turns = 0;
  let over = false;
  const count = () => {
    turns++;
    if (!over) setImmediate(count);
  };
  setImmediate(count);
  await permittedOf(answer(rules), 'shop', slow as never);
  over = true;
  expect(turns).toBeGreaterThan(10);
});
