import { describe, expect, it } from 'vitest';
import { readCases } from '../../../src/cli/policy/cases.ts';
import { PACKS } from '../../../src/cli/policy/packs/index.ts';
import { packLines } from '../../../src/cli/policy/run-pack.ts';
import { loadPolicies } from '../../../src/policy/load.ts';
import { vocabulary } from '../policy/support.ts';

describe('the list of packs', () => {
  it('is a table in a pipe, and on a narrow terminal loses no word', () => {
    expect(packLines(Number.POSITIVE_INFINITY)).toHaveLength(PACKS.length + 1);
    for (const width of [30, 60, 80]) {
      const lines = packLines(width);
      for (const line of lines) expect(line.length).toBeLessThanOrEqual(width);
      const said = lines.map((line) => line.trim()).join(' ');
      for (const { name, summary } of PACKS) for (const text of [name, summary]) expect(said).toContain(text);
    }
  });
});

describe.each(PACKS.map((pack) => [pack.name, pack] as const))('the pack %s', (name, pack) => {
  const loaded = loadPolicies(vocabulary, [{ name: `${name}.cedar`, text: pack.policies }]);

  it('is valid by itself, without a warning', () => {
    expect(loaded).toMatchObject({ ok: true, warnings: [] });
  });

  it('has rules that are named for it, and each that forbids says why', () => {
    const policies = loaded.ok ? loaded.set.policies : [];
    expect(policies.length).toBeGreaterThan(2);
    for (const { id, effect, reason } of policies) {
      expect(id.startsWith(`${name}/`)).toBe(true);
      if (effect === 'forbid') expect(reason, id).toBeDefined();
    }
    if (pack.over !== undefined) expect(policies.map(({ effect }) => effect)).not.toContain('permit');
  });

  it('has cases, and each rule that forbids an operation decides one of them', () => {
    const read = readCases(pack.cases, `${name}.yaml`);
    const cases = read.ok ? read.cases : [];
    const tried = new Set(cases.flatMap(({ rule, approvals = [] }) => [rule, ...approvals]));
    const policies = loaded.ok ? loaded.set.policies : [];
    const untried = policies.filter(({ id, effect, approval, sight }) => {
      const operation = effect === 'forbid' && sight?.words?.includes('reveal') !== true;
      return operation && !tried.has(id) && !tried.has(approval);
    });
    expect(untried.map(({ id }) => id)).toEqual([]);
    expect(cases.length).toBeGreaterThan(4);
    expect(pack.over === undefined || PACKS.some((one) => one.name === pack.over)).toBe(true);
  });
});

it('any of them stand side by side', () => {
  const files = PACKS.map(({ name, policies }) => ({ name: `${name}.cedar`, text: policies }));
  expect(loadPolicies(vocabulary, files)).toMatchObject({ ok: true });
});
