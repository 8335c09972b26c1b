/** What every adapter does with an operation that policy holds: asked through hoopd, answered at its desk. */
import { expect, it } from 'vitest';
import { eventually } from '../support/waiting.ts';
import type { Trial, Words } from './trial.ts';

export function holding(given: () => Trial, { allowed, held, alike }: Words): void {
  it('waits for a yes: the client is told, the target hears nothing before it, and what was asked runs', async () => {
    const trial = given();
    const { id: session, client } = await trial.open();
    await client.ask(allowed.say);
    const before = trial.target.heard;
    const answer = client.ask(held);
    const { id } = await trial.asked(session);
    await eventually('the client is told', () => client.told.length > 0);
    expect(client.told[0]).toContain(id);
    expect(trial.target.heard).toEqual(before);
    await trial.approve(id);
    expect(await answer).toMatchObject({ refused: false });
    expect(trial.target.heard.octets).toBeGreaterThan(before.octets);
    await client.close();
    await trial.end(session);
    const [, decided] = await trial.decided(session);
    expect(decided).toMatchObject({ decision: 'allow', facts: { approval: id } });
  });

  it('lets what was approved through once, and is told why not the next time', async () => {
    const trial = given();
    const { id: session, client } = await trial.open();
    await client.ask(allowed.say);
    const first = client.ask(held);
    const { id } = await trial.asked(session);
    await trial.approve(id);
    expect(await first).toMatchObject({ refused: false });
    const before = trial.target.heard;
    const second = client.ask(held);
    const again = await trial.asked(session);
    expect(again.id).not.toBe(id);
    await trial.running.gateway.approvals.deny(again.id, trial.boss, 'once is enough');
    expect(await second).toMatchObject({ refused: true, text: expect.stringContaining('once is enough') });
    expect(trial.target.heard).toEqual(before);
    await client.close();
  });

  it('gives a ticket when the time is over, which is good for what was asked and for nothing like it', async () => {
    const trial = given();
    const { id: session, client } = await trial.open();
    await client.ask(allowed.say);
    const before = trial.target.heard;
    const ticket = await client.ask(held);
    const { id } = await trial.asked(session);
    expect(ticket).toMatchObject({ refused: true, text: expect.stringContaining(id) });
    await trial.approve(id);
    const other = client.ask(alike);
    const { id: another } = await trial.asked(session);
    await trial.running.gateway.approvals.deny(another, trial.boss, undefined);
    expect(await other).toMatchObject({ refused: true });
    expect(trial.target.heard).toEqual(before);
    expect(await client.ask(held)).toMatchObject({ refused: false });
    await client.close();
  });

  it('withdraws what its client asked when the client leaves, and sends none of it', async () => {
    const trial = given();
    const { id: session, client, socket } = await trial.open();
    await client.ask(allowed.say);
    const before = trial.target.heard;
    void client.ask(held).catch(() => undefined);
    const { id } = await trial.asked(session);
    socket.destroy();
    const { approvals } = trial.running.gateway;
    await eventually('it is withdrawn', () => approvals.find(id)?.state === 'cancelled');
    await trial.end(session);
    await expect(trial.approve(id)).rejects.toMatchObject({ code: 'ERR_USAGE' });
    expect(trial.target.heard).toEqual(before);
  });
}
