import { expect, it } from 'vitest';
import { type Told, ToldBefore } from '../../../src/protocols/http/relay/upgrade/told-before.ts';

const [session, other] = [{}, {}] as never[];
const told = { denied: {}, answer: 'no' } as unknown as Told;
const websocket = { meant: 'exec ls', form: 'websocket' };
const spdy = { ...websocket, form: 'spdy/3.1' };

it('tells again what was told of the same in another form, once and at once', () => {
  const before = new ToldBefore();
  before.keep(session!, websocket, told, 0);
  expect(before.take(other!, spdy, 1)).toBeUndefined();
  expect(before.take(session!, { ...spdy, meant: 'exec rm' }, 1)).toBeUndefined();
  expect(before.take(session!, spdy, 1)).toBe(told);
  expect(before.take(session!, spdy, 2)).toBeUndefined();
});

it('asks anew what is asked again in the same form, or later', () => {
  const before = new ToldBefore();
  before.keep(session!, websocket, told, 0);
  expect(before.take(session!, websocket, 1)).toBeUndefined();
  expect(before.take(session!, spdy, 2)).toBeUndefined();
  before.keep(session!, websocket, told, 0);
  expect(before.take(session!, spdy, 10_001)).toBeUndefined();
});

it('remembers a few of one session', () => {
  const before = new ToldBefore();
  for (let at = 0; at < 17; at++) before.keep(session!, { ...websocket, meant: String(at) }, told, 0);
  expect(before.take(session!, { ...spdy, meant: '0' }, 1)).toBeUndefined();
  expect(before.take(session!, { ...spdy, meant: '16' }, 1)).toBe(told);
});

it('keeps nothing for a client that does not ask in another form', async () => {
  const before = new ToldBefore();
  const ask = async (asked: typeof spdy, asksAgain: boolean) => {
    let asks = 0;
    const asking = async () => {
      asks++;
      return told;
    };
    const answered = await before.once(session!, asked, asking, () => asksAgain);
    return { answered, asks };
  };
  await ask(websocket, false);
  expect(await ask(spdy, true)).toEqual({ answered: told, asks: 1 });
  expect(await ask(websocket, true)).toEqual({ answered: told, asks: 0 });
});
