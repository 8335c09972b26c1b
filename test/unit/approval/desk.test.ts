import { describe, expect, it } from 'vitest';
import { askedUnder } from '../../../src/approval/asked-under.ts';
import { newSealKeyText, parseSealKey } from '../../../src/audit/keys.ts';
import type { Principal } from '../../../src/identity/principal.ts';
import { person } from '../policy/support.ts';
import { DeskSetUp, question } from './support.ts';

const someone = (name: string): Principal => ({ ...person(name, ['dbas']), subject: `sub-${name}` });
const ada = someone('ada');
const bo = someone('bo');

describe('what is asked under a key of the caller', () => {
  const caller = {
    issuer: 'https://login.test',
    subject: 'sub-maya',
    name: 'shop-copilot',
    instance: 'ins_1',
  };
  const sent = (statement: string, key = 'k-1', principal = caller) => {
    const original = { statement };
    const under = askedUnder(key, {
      principal,
      resource: 'pg',
      protocol: 'postgres',
      opens: false,
      original,
    });
    return question({ binding: `b ${statement}`, original, under, ahead: true });
  };

  it('is one request, whatever has become of it, and after a restart', async () => {
    const setUp = new DeskSetUp();
    const { id } = await setUp.desk.request(sent('DROP TABLE t'));
    const twice = await Promise.all([1, 2].map(() => setUp.desk.request(sent('DROP TABLE t'))));
    expect(twice.map((one) => one.id)).toEqual([id, id]);
    // What the target defines has changed: what was sent has not.
    const redefined = { ...sent('DROP TABLE t'), binding: 'another' };
    expect((await setUp.desk.request(redefined)).id).toBe(id);
    await setUp.desk.deny(id, ada, 'no');
    expect(await setUp.desk.request(sent('DROP TABLE t'))).toMatchObject({ id, state: 'denied' });
    expect(await setUp.open().request(sent('DROP TABLE t'))).toMatchObject({ id, state: 'denied' });
    expect(setUp.log.types).toEqual(['approval.requested', 'approval.denied']);
  });

  it('is refused where it is something else, also after a restart, and nobody is asked', async () => {
    const setUp = new DeskSetUp();
    await setUp.desk.request(sent('DROP TABLE t'));
    for (const desk of [setUp.desk, setUp.open()])
      await expect(desk.request(sent('DROP TABLE u'))).rejects.toMatchObject({ code: 'ERR_KEY_REUSED' });
    expect(setUp.log.types).toEqual(['approval.requested']);
  });

  it('is another request under another key, of another instance, person or agent', async () => {
    const { desk } = new DeskSetUp();
    const { id } = await desk.request(sent('DROP TABLE t'));
    const others = [
      sent('DROP TABLE u', 'k-2'),
      sent('DROP TABLE v', 'k-1', { ...caller, instance: 'ins_2' }),
      sent('DROP TABLE w', 'k-1', { ...caller, subject: 'sub-otto' }),
      sent('DROP TABLE x', 'k-1', { ...caller, name: 'other' }),
    ];
    for (const other of others) expect((await desk.request(other)).id).not.toBe(id);
  });

  it('may be anything after a day', async () => {
    const setUp = new DeskSetUp();
    const { id } = await setUp.desk.request(sent('DROP TABLE t'));
    setUp.now += 24 * 3_600_000 - 1;
    expect(await setUp.desk.request(sent('DROP TABLE t'))).toMatchObject({ id, state: 'expired' });
    setUp.now += 1;
    const next = await setUp.desk.request(sent('DROP TABLE u'));
    expect(next.id).not.toBe(id);
    expect((await setUp.desk.request(sent('DROP TABLE u'))).id).toBe(next.id);
  });

  it('keeps neither the key nor a hash that tells what was sent', async () => {
    const { desk, database } = new DeskSetUp();
    const { id } = await desk.request(sent('DROP TABLE t', 'my-own-key'));
    await desk.deny(id, ada, undefined);
    const kept = JSON.stringify(database.prepare('SELECT document FROM approval WHERE id = ?').get(id));
    expect(kept).not.toContain('my-own-key');
    expect(sent('DROP TABLE t', 'a').under?.body).not.toBe(sent('DROP TABLE t', 'b').under?.body);
  });
});

describe('a yes', () => {
  it('is used once, by exactly what was asked, and all of it is on record', async () => {
    const { desk, log } = new DeskSetUp();
    const asked = await desk.request(question());
    expect(await desk.use(question(), 'op_1')).toBeUndefined();
    await desk.approve(asked.id, ada, ['dba']);
    expect(await desk.use(question({ binding: 'b2' }), 'op_2')).toBeUndefined();
    expect(await desk.use(question(), 'op_3')).toMatchObject({
      id: asked.id,
      state: 'approved',
      usedBy: 'op_3',
    });
    expect(await desk.use(question(), 'op_4')).toBeUndefined();
    expect(log.types).toEqual(['approval.requested', 'approval.granted', 'approval.used']);
    expect(log.events[1]).toMatchObject({ facts: { approval: asked.id, decidedBy: 'ada', names: 'dba' } });
    expect(log.events[2]).toMatchObject({ operation: 'op_3', session: 'ses_1' });
  });

  it('is for one of those who use it in the same breath', async () => {
    const { desk } = new DeskSetUp();
    const { id } = await desk.request(question());
    await desk.approve(id, ada, ['dba']);
    const uses = await Promise.all(Array.from({ length: 20 }, (_, n) => desk.use(question(), `op_${n}`)));
    expect(uses.filter((one) => one !== undefined)).toHaveLength(1);
  });

  it('is used and asked for in its own session, or in one new one when that is over', async () => {
    const { desk, live } = new DeskSetUp();
    const { id } = await desk.request(question());
    await desk.approve(id, ada, ['dba']);
    expect(await desk.use(question({ session: 'ses_2' }), 'op_1')).toBeUndefined();
    live.delete('ses_1');
    expect(await desk.use(question({ session: 'ses_2' }), 'op_2')).toMatchObject({ boundTo: 'ses_2' });
    expect(await desk.use(question({ session: 'ses_3' }), 'op_3')).toBeUndefined();
  });

  it('that was asked ahead is for another session, whether its own is over or not', async () => {
    const { desk } = new DeskSetUp();
    const ahead = question({ ahead: true });
    const { id } = await desk.request(ahead);
    expect((await desk.request({ ...ahead, session: 'ses_2' })).id).toBe(id);
    expect(desk.standing(ahead)).toBeUndefined();
    await desk.approve(id, ada, ['dba']);
    expect(desk.standing({ ...ahead, session: 'ses_2' })).toMatchObject({ id });
    const uses = ['ses_2', 'ses_3'].map((session) => desk.use(question({ session }), `op_${session}`));
    expect((await Promise.all(uses)).filter((one) => one !== undefined)).toHaveLength(1);
    expect(desk.standing(ahead)).toBeUndefined();
  });

  it('is withdrawn when the last who waits for it leaves', async () => {
    const { desk, now } = new DeskSetUp();
    const { id } = await desk.request(question());
    const gone = new AbortController();
    const waits = desk.settled(id, now + 9e6, gone.signal);
    await desk.withdraw(id, 'another left');
    expect(desk.find(id)?.state).toBe('pending');
    gone.abort();
    await waits;
    await desk.withdraw(id, 'left');
    expect(desk.find(id)?.state).toBe('cancelled');
  });

  it('that cannot be put on record is none, and a use that cannot be is none either', async () => {
    const { desk, log } = new DeskSetUp();
    const { id } = await desk.request(question());
    log.failing = true;
    await expect(desk.approve(id, ada, ['dba'])).rejects.toMatchObject({ code: 'ERR_AUDIT_UNAVAILABLE' });
    expect(desk.find(id)?.state).toBe('pending');
    log.failing = false;
    await desk.approve(id, ada, ['dba']);
    log.failing = true;
    await expect(desk.use(question(), 'op_1')).rejects.toMatchObject({ code: 'ERR_AUDIT_UNAVAILABLE' });
    log.failing = false;
    expect(await desk.use(question(), 'op_2')).toMatchObject({ usedBy: 'op_2' });
  });

  it('survives a restart, and so does its use', async () => {
    const setUp = new DeskSetUp();
    const { id } = await setUp.desk.request(question());
    await setUp.desk.approve(id, ada, ['dba']);
    expect(await setUp.open().use(question(), 'op_1')).toMatchObject({ usedBy: 'op_1' });
    expect(await setUp.open().use(question(), 'op_2')).toBeUndefined();
  });

  it('is over with its time, counted from the question; so is the question', async () => {
    const setUp = new DeskSetUp();
    const { desk, terms } = setUp;
    const { id } = await desk.request(question());
    setUp.now += terms.lifeMs - 1;
    await desk.approve(id, ada, ['dba']);
    setUp.now += 1;
    expect(desk.find(id)?.state).toBe('expired');
    expect(await desk.use(question(), 'op_1')).toBeUndefined();
    const next = await desk.request(question());
    setUp.now += terms.lifeMs;
    await expect(desk.approve(next.id, ada, ['dba'])).rejects.toMatchObject({ code: 'ERR_USAGE' });
  });

  it('never outlives the credential that asked', async () => {
    const { desk, now } = new DeskSetUp();
    expect(await desk.request(question({ deadline: now + 5000 }))).toMatchObject({ expiresAt: now + 5000 });
  });
});

describe('a yes to what is opened', () => {
  it('is good as often as it is asked for, in any session, until one moment after the yes', async () => {
    const setUp = new DeskSetUp();
    const { desk, log, terms } = setUp;
    const window = question({ windowMs: 7_200_000 });
    const { id } = await desk.request(window);
    setUp.now += terms.lifeMs - 1;
    const { expiresAt } = await desk.approve(id, ada, ['dba']);
    expect(expiresAt).toBe(setUp.now + 7_200_000);
    expect(await desk.use(window, 'op_1')).toMatchObject({ id, expiresAt });
    setUp.now = expiresAt - 1;
    expect(await setUp.open().use({ ...window, session: 'ses_2' }, 'op_2')).toMatchObject({ id, expiresAt });
    setUp.now = expiresAt;
    expect(await desk.use(window, 'op_3')).toBeUndefined();
    expect(log.events.filter(({ type }) => type === 'approval.used')).toMatchObject([
      { operation: 'op_1', session: 'ses_1' },
      { operation: 'op_2', session: 'ses_2' },
    ]);
  });

  it('never outlives the login that asked', async () => {
    const { desk, now } = new DeskSetUp();
    const { id } = await desk.request(question({ windowMs: 7_200_000, deadline: now + 60_000 }));
    expect(await desk.approve(id, ada, ['dba'])).toMatchObject({ expiresAt: now + 60_000 });
  });
});

describe('who says yes', () => {
  it.each([
    ['who asked', someone('maya'), 'ERR_DENIED'],
    [
      'of the same name at another issuer',
      { ...someone('maya'), issuer: 'https://other.test' },
      'ERR_DENIED',
    ],
  ])('not the one %s', async (_, by, code) => {
    const { desk } = new DeskSetUp();
    const { id } = await desk.request(question());
    await expect(desk.approve(id, by, ['dba'])).rejects.toMatchObject({ code });
    expect(desk.find(id)?.state).toBe('pending');
  });

  it('as many as are needed, each once', async () => {
    const { desk } = new DeskSetUp();
    const needs = [
      { name: 'dba', count: 2 },
      { name: 'security', count: 1 },
    ];
    const { id } = await desk.request(question({ needs }));
    await desk.approve(id, ada, ['dba']);
    await expect(desk.approve(id, ada, ['dba'])).rejects.toMatchObject({ code: 'ERR_DENIED' });
    expect(await desk.approve(id, bo, ['dba'])).toMatchObject({ state: 'pending' });
    expect(await desk.use(question(), 'op_1')).toBeUndefined();
    expect(await desk.approve(id, someone('cy'), ['security'])).toMatchObject({ state: 'approved' });
  });

  it('two at once: the second learns what the first has made of it', async () => {
    const { desk } = new DeskSetUp();
    const { id } = await desk.request(question());
    const [yes, no] = await Promise.allSettled([
      desk.approve(id, ada, ['dba']),
      desk.deny(id, bo, 'not today'),
    ]);
    expect(yes).toMatchObject({ status: 'fulfilled', value: { state: 'approved' } });
    expect(no).toMatchObject({ status: 'rejected', reason: { code: 'ERR_USAGE' } });
  });
});

describe('waiting', () => {
  it('ends with a no and its reason', async () => {
    const { desk, now } = new DeskSetUp();
    const { id } = await desk.request(question());
    const waited = desk.settled(id, now + 45_000);
    await desk.deny(id, ada, 'use the archive table');
    expect(await waited).toMatchObject({
      state: 'denied',
      endedBy: 'ada',
      endReason: 'use the archive table',
    });
  });

  it('ends with its own time, and the question stays', async () => {
    const { desk, now } = new DeskSetUp();
    const { id } = await desk.request(question());
    expect(await desk.settled(id, now)).toMatchObject({ state: 'pending' });
  });

  it('ends when nobody waits any more; a yes that comes later finds it cancelled', async () => {
    const { desk, now, log } = new DeskSetUp();
    const { id } = await desk.request(question());
    const leaving = new AbortController();
    const waited = desk.settled(id, now + 45_000, leaving.signal);
    leaving.abort();
    await waited;
    await desk.cancel(id, 'the client left');
    await expect(desk.approve(id, ada, ['dba'])).rejects.toMatchObject({ code: 'ERR_USAGE' });
    expect(await desk.use(question(), 'op_1')).toBeUndefined();
    expect(log.types).toEqual(['approval.requested', 'approval.cancelled']);
  });
});

describe('who listens', () => {
  it('is told of each change once, and of nothing that could not be kept or only was so before', async () => {
    const setUp = new DeskSetUp();
    const { desk, log, told } = setUp;
    log.failing = true;
    await expect(desk.request(question())).rejects.toMatchObject({ code: 'ERR_AUDIT_UNAVAILABLE' });
    log.failing = false;
    const { id } = await desk.request(question());
    log.failing = true;
    await expect(desk.approve(id, ada, ['dba'])).rejects.toMatchObject({ code: 'ERR_AUDIT_UNAVAILABLE' });
    log.failing = false;
    await desk.approve(id, ada, ['dba']);
    await desk.use(question(), 'op_1');
    setUp.open();
    expect(told.map((one) => [one.id, one.state, one.usedBy])).toEqual([
      [id, 'pending', undefined],
      [id, 'approved', undefined],
      [id, 'approved', 'op_1'],
    ]);
  });
});

describe('asking', () => {
  it('the same in the same session is one request; in another it is another', async () => {
    const { desk } = new DeskSetUp();
    const [one, same] = await Promise.all([desk.request(question()), desk.request(question())]);
    expect(same.id).toBe(one.id);
    expect((await desk.request(question({ session: 'ses_2' }))).id).not.toBe(one.id);
  });

  it('that cannot be put on record is no request, for whoever asked the same in one breath either', async () => {
    const { desk, log } = new DeskSetUp();
    log.failing = true;
    const both = await Promise.allSettled([desk.request(question()), desk.request(question())]);
    expect(both).toMatchObject(
      Array(2).fill({ status: 'rejected', reason: { code: 'ERR_AUDIT_UNAVAILABLE' } }),
    );
    expect(desk.list()).toEqual([]);
  });

  it('comes before its answer: a yes in the same breath is on record behind the question', async () => {
    const { desk, log } = new DeskSetUp();
    const request = desk.request(question());
    const [{ id } = { id: '' }] = desk.list();
    await Promise.all([request, desk.approve(id, ada, ['dba'])]);
    expect(log.types).toEqual(['approval.requested', 'approval.granted']);
    expect(await desk.use(question(), 'op_1')).toMatchObject({ id });
  });

  it('has a bound for each instance', async () => {
    const { desk } = new DeskSetUp();
    await Promise.all(Array.from({ length: 600 }, (_, n) => desk.request(question({ binding: `b${n}` }))));
    await expect(desk.request(question({ binding: 'more' }))).rejects.toMatchObject({ code: 'ERR_LIMIT' });
    const other = { ...question().actor, instance: 'ins_2' };
    expect(await desk.request(question({ actor: other }))).toMatchObject({ state: 'pending' });
  });

  it('keeps what was really asked no longer than it is undecided', async () => {
    const { desk, database } = new DeskSetUp();
    const { id } = await desk.request(question({ original: { statement: 'DROP TABLE s3cret' } }));
    const kept = () => JSON.stringify(database.prepare('SELECT document FROM approval WHERE id = ?').get(id));
    expect(kept()).toContain('"sealed');
    expect(kept()).not.toContain('s3cret');
    await desk.deny(id, ada, undefined);
    expect(kept()).not.toContain('"sealed');
  });

  it('keeps it sealed: whole for who has the key, and undecidable without', async () => {
    const desks = new DeskSetUp();
    const original = { statement: `DROP TABLE ${'s3cret'.repeat(400_000)}`, parameters: ['1', null] };
    const { id } = await desks.desk.request(question({ original }));
    expect(desks.open().find(id)).toMatchObject({ state: 'pending', original });
    desks.sealKey = parseSealKey(newSealKeyText());
    const after = desks.open();
    expect(after.find(id)).toMatchObject({
      state: 'failed',
      endReason: expect.stringContaining('ask again'),
    });
    expect(after.find(id)).not.toHaveProperty('original');
    await expect(after.approve(id, ada, ['dba'])).rejects.toMatchObject({ code: 'ERR_USAGE' });
    expect((await after.request(question({ original }))).id).not.toBe(id);
  });

  it('goes on under a new key, where the old one is kept beside it', async () => {
    const desks = new DeskSetUp();
    const original = { statement: 'DROP TABLE s3cret' };
    const { id } = await desks.desk.request(question({ original }));
    desks.formerSealKeys = [desks.sealKey];
    desks.sealKey = parseSealKey(newSealKeyText());
    const after = desks.open();
    expect(after.find(id)).toMatchObject({ state: 'pending', original });
    expect(await after.approve(id, ada, ['dba'])).toMatchObject({ state: 'approved' });
  });
});
