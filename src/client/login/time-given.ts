import type { Clock } from '../../core/clock.ts';
import { HoopError } from '../../core/errors.ts';
import type { Attributes } from '../gateway-client.ts';

/** What ends then is what was opened, not the login. */
export const TIME_IS_OVER = 'the time that --ttl gave is over';

/**
 * Says at each exchange how much is left of the time that `--ttl` gave. The gateway keeps an instance's first deadline only
 * while it knows the instance: one that asked again a moment later would be a new one, with all of that time.
 *
 * @param attributes Of the first exchange, with which the time begins.
 * @returns The attributes of the next exchange. It throws `ERR_LOGIN_EXPIRED` when less than a second is left.
 */
export function timeGiven(attributes: Attributes, clock: Clock): () => Attributes {
  const { ttlSeconds } = attributes;
  if (ttlSeconds === undefined) return () => attributes;
  let endsAt: number | undefined;
  return () => {
    endsAt ??= clock.now() + ttlSeconds * 1000;
    const left = Math.floor((endsAt - clock.now()) / 1000);
    if (left < 1) throw new HoopError('ERR_LOGIN_EXPIRED', TIME_IS_OVER);
    return { ...attributes, ttlSeconds: left };
  };
}
