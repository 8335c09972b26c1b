import { describe, expect, it } from 'vitest';
import type { TriedOut } from '../../../src/api/approvals.ts';
import { HoopError } from '../../../src/core/errors.ts';
import { ApprovalTrials } from '../../../src/gateway/approvals/trials.ts';
import type { Adapter, Viewer } from '../../../src/protocols/adapter.ts';
import { DeskSetUp, question } from '../approval/support.ts';

const COUNTED: TriedOut = { command: 'UPDATE', rows: 2, changes: [], changed: false, catches: false };
const ADA = { ...question().actor, kind: 'person', name: 'ada' } as const;
const never = new AbortController().signal;
const NOBODY: Viewer = {
  reveal: () => ({ show: false, mask: 'redact', rules: [] }),
  allows: () => false,
  policyVersion: () => 'v1',
};

class SetUp extends DeskSetUp {
  /** What the adapter is asked, in order, and whether its audit was there. */
  readonly asked: string[] = [];
  held = 0;
  answer: () => Promise<TriedOut> = async () => COUNTED;
  adapter: Partial<Adapter> = {
    tryOut: (trial) => {
      this.asked.push(`${trial} after ${this.log.types.at(-1)}`);
      return this.answer();
    },
  };
  readonly trials = new ApprovalTrials({
    audit: this.log,
    clock: this.clock,
    adapter: (name) => {
      if (name === 'gone') return undefined;
      this.held++;
      return { adapter: this.adapter as Adapter, release: () => this.held-- };
    },
  });

  async try(more: Parameters<typeof question>[0] = {}, signal = never) {
    const approval = await this.desk.request(question({ trial: 'how', ...more }));
    return this.trials.run(ADA, approval, NOBODY, signal);
  }

  tried() {
    return this.log.events.filter(({ type }) => type === 'approval.tried');
  }
}

describe('a request that is tried out', () => {
  it('is on record before it is, with who tries it, and what came of it after', async () => {
    const at = new SetUp();
    const { id, ...counted } = await at.try();
    expect(counted).toEqual({ schemaVersion: 1, ...COUNTED });
    expect(at.asked).toEqual(['how after approval.tried']);
    const both = { actor: { name: 'ada' }, resource: 'pg', facts: { approval: id } };
    expect(at.tried()).toMatchObject([both, { ...both, outcome: 'success', rows: 2 }]);
    expect(at.tried()[0]).not.toHaveProperty('outcome');
    expect(at.held).toBe(0);
  });

  it('that would fail, or cannot be tried, is on record as that', async () => {
    const at = new SetUp();
    at.answer = async () => ({ ...COUNTED, fails: { status: '23514', reason: 'a check' } });
    await at.try();
    at.answer = async () => {
      throw new HoopError('ERR_UNSUPPORTED', 'it says COPY');
    };
    await expect(at.try()).rejects.toMatchObject({ code: 'ERR_UNSUPPORTED' });
    expect(at.tried().map(({ outcome, status, reason }) => [outcome, status ?? reason])).toEqual([
      [undefined, undefined],
      ['failure', '23514'],
      [undefined, undefined],
      ['failure', 'ERR_UNSUPPORTED: it says COPY'],
    ]);
    expect(at.held).toBe(0);
  });

  it('is not tried where that cannot be put on record, and nothing is told where the outcome cannot', async () => {
    const at = new SetUp();
    const approval = await at.desk.request(question({ trial: 'how' }));
    at.log.failing = true;
    await expect(at.trials.run(ADA, approval, NOBODY, never)).rejects.toMatchObject({
      code: 'ERR_AUDIT_UNAVAILABLE',
    });
    expect(at.asked).toEqual([]);
    at.log.failing = false;
    at.answer = async () => {
      at.log.failing = true;
      return COUNTED;
    };
    await expect(at.trials.run(ADA, approval, NOBODY, never)).rejects.toMatchObject({
      code: 'ERR_AUDIT_UNAVAILABLE',
    });
  });

  it.each<[string, Parameters<typeof question>[0], string]>([
    ['was refused when it was asked', { trial: undefined as never, notTried: 'it opens' }, 'it opens'],
    ['was not kept', { trial: undefined as never }, 'how it would run was not kept'],
    ['is of a resource that is gone', { resource: 'gone' }, 'its resource is not there any more'],
  ])('is not, and says why, where it %s', async (_, more, why) => {
    const at = new SetUp();
    const refused = { code: 'ERR_NOT_TRIED', message: `this cannot be tried out: ${why}` };
    await expect(at.try(more)).rejects.toMatchObject(refused);
    expect([at.tried(), at.held]).toEqual([[], 0]);
  });

  it('one at a time at each resource, four in all, six times a minute each', async () => {
    const at = new SetUp();
    const done = Promise.withResolvers<TriedOut>();
    at.answer = () => done.promise;
    const running = ['a', 'b', 'c', 'd'].map((resource) => at.try({ resource, binding: resource }));
    await expect(at.try({ resource: 'a', binding: 'x' })).rejects.toMatchObject({ code: 'ERR_BUSY' });
    await expect(at.try({ resource: 'e', binding: 'y' })).rejects.toMatchObject({ code: 'ERR_BUSY' });
    done.resolve(COUNTED);
    await Promise.all(running);
    for (let count = 1; count < 6; count++) await at.try({ resource: 'a', binding: 'a' });
    await expect(at.try({ resource: 'a', binding: 'a' })).rejects.toMatchObject({ code: 'ERR_LIMIT' });
    await at.try({ resource: 'b', binding: 'b' });
    at.now += 60_001;
    await at.try({ resource: 'a', binding: 'a' });
  });
});
