import { newId } from '../core/ids/make.ts';

const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/**
 * Names a start of the gateway so that it sorts after the one before, even if the clock was set back in between:
 * the order of chains is the order of their names.
 *
 * @param now Milliseconds since the epoch.
 * @param last The name before, if there is one.
 */
export function nextBoot(now: number, last: string | undefined): string {
  const time = /^boot_([0-9A-HJKMNP-TV-Z]{10})/.exec(last ?? '')?.[1];
  if (time === undefined) return newId('boot', now);
  const lastMs = [...time].reduce((sum, digit) => sum * 32 + ALPHABET.indexOf(digit), 0);
  return newId('boot', Math.max(now, lastMs + 1));
}
