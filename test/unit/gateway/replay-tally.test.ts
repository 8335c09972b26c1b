import { describe, expect, it } from 'vitest';
import type { AuditEventItem } from '../../../src/api/contract.ts';
import { principalOf, type RecordedDecision, recordedDecision } from '../../../src/gateway/replay/event.ts';
import { ReplayTally } from '../../../src/gateway/replay/tally.ts';
import { vocabulary } from '../policy/support.ts';

const ACTOR = {
  kind: 'agent' as const,
  name: 'bot',
  issuer: 'https://login.test',
  subject: 'sub',
  groups: ['ai-agents'],
  attested: {},
  declared: {},
};

function decision(at: number, more: Partial<RecordedDecision> = {}): RecordedDecision {
  return {
    ...{ id: `evt_${at}`, at: new Date(at).toISOString(), actor: ACTOR, resource: 'pg' },
    ...{ actions: ['sql.select'], objects: ['pg/public.t'], text: 'SELECT ‹…›', decision: 'allow' },
    ...{ rules: [{ id: 'old' }], cut: [] },
    ...more,
  };
}

const deny = { effect: 'deny' as const, rules: [{ id: 'new' }], reason: 'no' };

describe('what a replay counts', () => {
  it('the same question with the same answers is one kind, with the newest of its events', () => {
    const tally = new ReplayTally();
    for (const at of [9000, 8000, 7000, 6000]) tally.replayed(decision(at), deny);
    tally.replayed(decision(5000, { text: 'SELECT other' }), deny);
    tally.replayed(decision(4000), { effect: 'allow', rules: [{ id: 'new' }] });
    tally.refused(decision(3000).at);
    tally.missing(decision(2000).at, 'fact-not-recorded', 'arguments, query');
    tally.missing(decision(1000).at, 'not-recorded');
    const report = tally.report('v1', 1, true);
    expect(report).toMatchObject({
      ...{ schemaVersion: 1, policyVersion: 'v1', events: 9, same: 1, changed: 5, refused: 1, more: true },
      newest: '1970-01-01T00:00:09.000Z',
      oldest: '1970-01-01T00:00:01.000Z',
      moreDifferences: 1,
      rules: [{ rule: 'new', decided: 6, changed: 5 }],
    });
    expect(report.verdicts).toEqual([
      { was: 'allow', now: 'deny', count: 5 },
      { was: 'allow', now: 'allow', count: 1 },
    ]);
    expect(report.notReplayable).toEqual([
      { reason: 'fact-not-recorded', what: 'arguments, query', count: 1 },
      { reason: 'not-recorded', count: 1 },
    ]);
    expect(report.differences).toHaveLength(1);
    expect(report.differences[0]).toMatchObject({
      ...{ count: 4, events: ['evt_9000', 'evt_8000', 'evt_7000'], at: '1970-01-01T00:00:09.000Z' },
      ...{ rulesWere: ['old'], rules: ['new'], reason: 'no', actor: 'bot' },
    });
  });

  it('holds so many kinds and no more, and cuts what is long', () => {
    const tally = new ReplayTally();
    const long = decision(1, {
      text: 'x'.repeat(5000),
      objects: Array.from({ length: 99 }, (_, at) => `o${at}`),
    });
    tally.replayed(long, deny);
    for (let at = 0; at < 10_050; at++) tally.replayed(decision(1, { text: `SELECT ${at}` }), deny);
    const { changed, differences, moreDifferences } = tally.report('v1', 1000, false);
    expect([changed, differences.length, moreDifferences]).toEqual([10_051, 1000, 9051]);
    expect([differences[0]?.text.length, differences[0]?.objects.length]).toEqual([500, 16]);
  });

  it('of nothing: nothing', () => {
    expect(new ReplayTally().report('v1', 20, false)).toEqual({
      ...{ schemaVersion: 1, policyVersion: 'v1', events: 0, same: 0, changed: 0, refused: 0 },
      ...{ verdicts: [], rules: [], notReplayable: [], differences: [] },
    });
  });
});

describe('a decision on record', () => {
  const item = { ...decision(1), schemaVersion: 2, type: 'operation.decided' } as unknown as AuditEventItem;

  it.each([
    ['as hoopd wrote it before it kept what was asked', {}, true],
    ['with a question', { asked: { objects: [['T', 'a', {}]], pairs: [['x', 0]], context: {} } }, true],
    ['refused', { asked: { refused: true } }, true],
    ['of a later version', { decision: 'perhaps' }, false],
    ['with a question of another form', { asked: { objects: 7 } }, false],
    ['with half a number', { asked: { objects: [], pairs: [['x', 0.5]], context: {} } }, false],
  ])('%s', (_what, more, isRead) => {
    expect(recordedDecision({ ...item, ...more }) !== undefined).toBe(isRead);
  });

  it('says who asked: of an agent for a person only where the groups of both are known', () => {
    expect(principalOf(ACTOR, vocabulary)).toMatchObject({ kind: 'agent', groups: ['ai-agents'] });
    expect(principalOf({ ...ACTOR, person: 'ann' }, vocabulary)).toBeUndefined();
    const both = principalOf({ ...ACTOR, person: 'ann', personGroups: ['developers'] }, vocabulary);
    expect(both?.person).toMatchObject({ name: 'ann', groups: ['developers'], subject: 'sub' });
    const alone = principalOf({ ...ACTOR, kind: 'person', person: 'ann', groups: ['dba'] }, vocabulary);
    expect(alone?.person?.groups).toEqual(['dba']);
    const attenuation = { readOnly: false, actions: ['sql.read', 'connect'] };
    expect(principalOf({ ...ACTOR, attenuation }, vocabulary)?.attenuation).toEqual({
      readOnly: false,
      actions: ['sql.select', 'sql.show', 'connect'],
    });
  });
});
