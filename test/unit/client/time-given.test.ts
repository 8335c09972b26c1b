import { expect, test } from 'vitest';
import { timeGiven } from '../../../src/client/login/time-given.ts';

test('each exchange asks for what is left of the time that was given, and none when that is over', () => {
  let ms = 1_700_000_000_250;
  const given = timeGiven({ agent: 'copilot', ttlSeconds: 3 }, { now: () => ms });
  ms += 60_000;
  expect(given()).toEqual({ agent: 'copilot', ttlSeconds: 3 });
  ms += 1;
  expect(given()).toEqual({ agent: 'copilot', ttlSeconds: 2 });
  ms += 1999;
  expect(given().ttlSeconds).toBe(1);
  for (const more of [1, 999, 1, 60_000]) {
    ms += more;
    expect(given).toThrowError(expect.objectContaining({ code: 'ERR_LOGIN_EXPIRED' }));
  }
});

test('without a time nothing is asked for', () => {
  let ms = 0;
  const given = timeGiven({ model: 'm' }, { now: () => ms });
  ms = 1e12;
  expect(given()).toEqual({ model: 'm' });
});
