import { expect, it } from 'vitest';
import { Tickets } from '../../../src/protocols/http/target/tickets.ts';

const [FIRST, SECOND] = [Buffer.from('first'), Buffer.from('second')];
const [OWN, NEXT] = ['a', 'b'].map((name) => ({ cert: `cert ${name}`, key: `key ${name}` }));
const MINUTE = 60_000;

it('the last one is used, for 10 min', () => {
  const tickets = new Tickets();
  expect(tickets.take(undefined, 0)).toBeUndefined();
  tickets.keep(FIRST, undefined, 0);
  tickets.keep(SECOND, undefined, 0);
  expect([0, 5, 9.9, 10].map((minutes) => tickets.take(undefined, minutes * MINUTE))).toEqual([
    SECOND,
    SECOND,
    SECOND,
    undefined,
  ]);
});

it.each([
  ['another certificate', OWN, NEXT],
  ['one where there was none', undefined, OWN],
  ['none where there was one', OWN, undefined],
  ['the same certificate with another key', OWN, { ...OWN!, key: 'c' }],
])('none is used for %s', (_what, before, now) => {
  const tickets = new Tickets();
  tickets.keep(FIRST, before, 0);
  expect(tickets.take(now, 0)).toBeUndefined();
  expect(tickets.take(before && { ...before }, 0)).toEqual(FIRST);
});
