import { expect, test } from 'vitest';
import { failureOf } from '../../../../src/cli/ui/world/failures.ts';
import { OpenTunnels } from '../../../../src/cli/ui/world/open-tunnels.ts';
import type { OpenGateway } from '../../../../src/client/gateway.ts';
import { HoopError } from '../../../../src/core/errors.ts';
import { resource } from '../../../support/ui/state.ts';

/** An instance whose questions stay without an answer: its tunnels are on their way. */
function silent(): OpenGateway {
  return { api: new Proxy({}, { get: () => () => new Promise(() => undefined) }) } as OpenGateway;
}

test('tunnels end with the instance that they are of, and are not told as open any more', async () => {
  const told: unknown[] = [];
  const tunnels = new OpenTunnels({}, (name, state) => void told.push([name, state]));
  const [one, other] = [silent(), silent()];
  void tunnels.open(one, resource('pg', { access: 'hold' }));
  await tunnels.over(other, new HoopError('ERR_LOGIN_EXPIRED'));
  expect([told, tunnels.isEmpty]).toEqual([[], false]);
  await tunnels.over(one, new HoopError('ERR_LOGIN_EXPIRED'));
  expect(told).toMatchObject([['pg', { kind: 'failed', failure: { message: 'the login has expired' } }]]);
  expect(tunnels.isEmpty).toBe(true);
});

test('whoever is told to log in is told to do it in the profile that was chosen', () => {
  const over = new HoopError('ERR_LOGIN_EXPIRED', undefined, { hint: 'run: hoopctl login' });
  expect(failureOf(over, 'grace').failure.hint).toBe('run: hoopctl login --profile grace');
  expect(failureOf(over).failure.hint).toBe('run: hoopctl login');
});
