import { describe, expect, it } from 'vitest';
import { UnheardDenials } from '../../../src/approval/unheard.ts';
import { person } from '../policy/support.ts';
import { DeskSetUp, question } from './support.ts';

const ada = { ...person('ada', ['dbas']), subject: 'sub-ada' };
const asked = (session = 'ses_1') => question({ binding: 'b', session });

describe('whoever comes back with a ticket', () => {
  it('finds the request that is pending, once the session that asked it is over', async () => {
    const setUp = new DeskSetUp();
    const { id } = await setUp.desk.request(asked());
    expect((await setUp.desk.request(asked('ses_2'))).id).not.toBe(id);
    setUp.live.delete('ses_1');
    expect((await setUp.desk.request(asked('ses_3'))).id).toBe(id);
  });

  it('is told of a no that nobody heard, once', async () => {
    const setUp = new DeskSetUp();
    const { id } = await setUp.desk.request(asked());
    await setUp.desk.deny(id, ada, 'not today');
    expect((await setUp.desk.request(asked('ses_2'))).id).not.toBe(id);
    expect(await setUp.desk.request(asked())).toMatchObject({ id, state: 'denied', endReason: 'not today' });
    expect(await setUp.desk.request(asked())).toMatchObject({ state: 'pending' });
  });

  it('asks anew where the no was heard, is past, or of something asked ahead', async () => {
    const setUp = new DeskSetUp();
    const heard = await setUp.desk.request(asked());
    const waiting = setUp.desk.settled(heard.id, setUp.now + 1_000);
    await setUp.desk.deny(heard.id, ada, undefined);
    expect(await waiting).toMatchObject({ state: 'denied' });
    const second = await setUp.desk.request(asked());
    expect(second.state).toBe('pending');
    await setUp.desk.deny(second.id, ada, undefined);
    setUp.now += 3_600_000;
    const third = await setUp.desk.request(asked());
    expect(third.state).toBe('pending');
    const ahead = await setUp.desk.request({ ...question({ binding: 'c' }), ahead: true });
    await setUp.desk.deny(ahead.id, ada, undefined);
    expect((await setUp.desk.request(question({ binding: 'c' }))).state).toBe('pending');
  });
});

it('a no whose request is forgotten is no word of anything, and is asked anew', async () => {
  const setUp = new DeskSetUp();
  const { id } = await setUp.desk.request(asked());
  const denied = await setUp.desk.deny(id, ada, undefined);
  const known = new Map([[id, denied]]);
  const unheard = new UnheardDenials((one) => known.get(one));
  unheard.keep(denied);
  known.clear();
  expect(unheard.take('b', setUp.now, () => true)).toBeUndefined();
  known.set(id, denied);
  expect(unheard.take('b', setUp.now, () => true)).toBeUndefined();
  unheard.keep(denied);
  expect(unheard.take('b', setUp.now, () => true)).toBe(denied);
});
