import { describe, expect, it } from 'vitest';
import { type SchemaTurn, SchemaTurns } from '../../../src/protocols/postgres/catalog/schema-turns.ts';

type Plans = Parameters<SchemaTurn['judged']>[0];

const TABLE = 20_001;
const asks: Plans = [{ relations: [TABLE], resolved: [] }];
const changes: Plans = [{ ...asks[0]!, schemaEffect: { anything: false, relations: [TABLE], names: [] } }];
const session = (sent: Plans = []) => ({
  masks: { masksColumns: true },
  path: { last: undefined },
  sent: () => sent,
});

/** One that changes a table, and one that asks for it. */
function both() {
  const turns = new SchemaTurns();
  const [changer, asker] = [turns.join(session()), turns.join(session())];
  asker.begins();
  return { changer, asker, late: () => asker.isLate(asks) };
}

async function change(changer: SchemaTurn, takesEffect: boolean): Promise<void> {
  expect(await changer.judged(changes, takesEffect)).toBe(true);
}

describe('who asks for what another session changes', () => {
  it('waits while that is to take effect', async () => {
    const { changer, late } = both();
    expect(late()).toBe(false);
    await change(changer, true);
    expect(late()).toBe(true);
  });

  it('waits while that has been sent and is not committed, and no longer', async () => {
    const { changer, asker, late } = both();
    await change(changer, false);
    expect(late()).toBe(false);
    changer.went();
    expect(late()).toBe(true);
    changer.rested(true);
    expect(late()).toBe(true);
    changer.ended();
    changer.rested(false);
    asker.begins();
    expect(late()).toBe(false);
  });

  it('does not wait for itself', async () => {
    const { changer } = both();
    await change(changer, false);
    changer.went();
    expect(changer.isLate(asks)).toBe(false);
  });

  it('does not wait for what does not go', async () => {
    const { changer, late } = both();
    await change(changer, true);
    changer.rests();
    expect(late()).toBe(false);
  });

  it('waits for what was sent before something else did not go', async () => {
    const { changer, late } = both();
    await change(changer, false);
    changer.went();
    changer.rests();
    expect(late()).toBe(true);
  });

  it('waits for the last words of who has left, and for nothing of who left with none', async () => {
    const { changer, asker, late } = both();
    await change(changer, false);
    changer.went();
    await new Promise<void>((then) => {
      changer.leave(then);
      expect(late()).toBe(true);
    });
    asker.begins();
    expect(late()).toBe(false);
  });

  it('does not wait for who has left, whatever it was about to do', async () => {
    const { changer, late } = both();
    changer.leave(() => undefined);
    await change(changer, true);
    changer.went();
    expect(late()).toBe(false);
  });
});
