import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { silentLog } from '../../../src/core/log.ts';
import { NameWatch } from '../../../src/gateway/compose/name-watch.ts';
import type { RuleName, StrangeName, TargetNames } from '../../../src/protocols/protocol.ts';
import { policySet } from '../policy/support.ts';

const POLICY = `@id("a") forbid (principal, action == Action::"reveal", resource == Column::"pg/public.t.emial");
@id("b") forbid (principal, action in Action::"sql.read", resource in Table::"pg/public.t");
@id("c") forbid (principal, action in Action::"sql.read", resource in Table::"other/public.gone");`;
const EMIAL =
  'test.cedar:1:1: rule "a" names Column::"pg/public.t.emial", which is not there; did you mean pg/public.t.email?';
const PATH = ['classification', 'columns', 'public.u.x'];
const SETTING =
  'hoopd.yaml:7:3: resources.pg.classification.columns.public.u.x: there is no public.u; correct the name';

/** A target that lacks what it is told to. */
class Target implements TargetNames {
  readonly asked: RuleName[] = [];
  readonly #lacks: readonly string[];
  readonly #settings: boolean;

  constructor(lacks: readonly string[] = [], settings = false) {
    this.#lacks = lacks;
    this.#settings = settings;
  }

  configured() {
    return this.#settings
      ? [{ path: PATH, problem: 'there is no public.u', cure: () => 'correct the name' }]
      : [];
  }

  named(name: RuleName): StrangeName | undefined {
    this.asked.push(name);
    if (!this.#lacks.includes(name.id)) return undefined;
    const cure = () => `did you mean ${name.id.replace('emial', 'email')}?`;
    return { problem: 'which is not there', cure };
  }
}

class SetUp {
  now = 0;
  policy = POLICY;
  readonly warnings: unknown[] = [];
  readonly errors: unknown[] = [];
  readonly watch = new NameWatch({
    log: {
      ...silentLog,
      warn: (_, fields) => this.warnings.push(fields?.['at'] ?? fields),
      error: (_, fields) => this.errors.push(fields),
    },
    clock: { now: () => this.now },
    rules: () => ({
      loaded: { file: '/etc/hoop/hoopd.yaml', locate: () => ({ line: 7, column: 3 }) },
      policies: policySet(this.policy).policies,
    }),
  });

  /** What has been told since the last time. */
  told(): unknown[] {
    vi.advanceTimersByTime(1000);
    return this.warnings.splice(0);
  }
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const LACKING = new Target(['pg/public.t.emial']);

describe('names that mean nothing at their target', () => {
  it('are told when the target is known, those of the configuration too, each once', () => {
    const at = new SetUp();
    const learned = at.watch.of('pg');
    expect(at.told()).toEqual([]);
    learned(new Target(['pg/public.t.emial'], true));
    expect(at.told()).toEqual([SETTING, EMIAL]);
    learned(new Target(['pg/public.t.emial'], true));
    at.watch.lookSoon();
    expect(at.told()).toEqual([]);
  });

  it('only those of the resource are asked about, and whether a rule hides them', () => {
    const at = new SetUp();
    const target = new Target();
    at.watch.of('pg')(target);
    expect(at.told()).toEqual([]);
    expect(target.asked).toEqual([
      { type: 'Column', id: 'pg/public.t.emial', hides: true },
      { type: 'Table', id: 'pg/public.t', hides: false },
    ]);
  });

  it('are looked for again when rules change', () => {
    const at = new SetUp();
    at.policy = '';
    at.watch.of('pg')(LACKING);
    expect(at.told()).toEqual([]);
    at.policy = POLICY;
    at.watch.lookSoon();
    expect(at.told()).toEqual([EMIAL]);
  });

  it('many changes of a target are one look, later', () => {
    const at = new SetUp();
    const learned = at.watch.of('pg');
    const target = new Target();
    for (let count = 0; count < 100; count++) learned(target);
    expect(target.asked).toEqual([]);
    at.told();
    expect(target.asked).toHaveLength(2);
  });

  it('one that comes and goes is told once an hour', () => {
    const at = new SetUp();
    const learned = at.watch.of('pg');
    const flicker = () => {
      learned(LACKING);
      const told = at.told();
      learned(new Target());
      at.told();
      return told;
    };
    expect(flicker()).toEqual([EMIAL]);
    at.now += 3_599_000;
    expect(flicker()).toEqual([]);
    at.now += 1_000;
    expect(flicker()).toEqual([EMIAL]);
  });

  it('that stays is not told again, however long', () => {
    const at = new SetUp();
    const learned = at.watch.of('pg');
    learned(LACKING);
    expect(at.told()).toEqual([EMIAL]);
    at.now += 10 * 3_600_000;
    learned(LACKING);
    expect(at.told()).toEqual([]);
  });

  it('what an adapter tells that was replaced, or whose resource is gone, is not heard', () => {
    const at = new SetUp();
    const old = at.watch.of('pg');
    const now = at.watch.of('pg');
    old(LACKING);
    expect(at.told()).toEqual([]);
    now(LACKING);
    expect(at.told()).toEqual([EMIAL]);
    at.watch.forget('pg');
    now(new Target(['pg/public.t']));
    expect(at.told()).toEqual([]);
    at.watch.close();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('of very many the first hundred are told, and how many more there are', () => {
    const at = new SetUp();
    const ids = Array.from({ length: 130 }, (_, index) => `pg/public.t${index}`);
    at.policy = ids
      .map(
        (id, index) =>
          `@id("r${index}") forbid (principal, action in Action::"sql.read", resource in Table::"${id}");`,
      )
      .join('\n');
    at.watch.of('pg')(new Target(ids));
    const told = at.told();
    expect([told.length, told.at(-1)]).toEqual([101, { resource: 'pg', more: 30 }]);
  });

  it('a target that cannot be compared does no harm', () => {
    const at = new SetUp();
    at.watch.of('pg')({
      configured: () => {
        throw new Error('upset');
      },
      named: () => undefined,
    });
    expect(at.told()).toEqual([]);
    expect(at.errors).toEqual([{ resource: 'pg', error: 'Error: upset' }]);
  });
});
