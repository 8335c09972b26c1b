/** Crockford's base 32: without letters that are taken for digits. */
export const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
/** The first of an id, behind its prefix: they say when it was made. */
export const TIME_CHARACTERS = 10;

/**
 * When a thing was made whose id begins so.
 *
 * Pure. @param time Of the id's first ten characters behind its prefix as many as are known. Those that no id has count as 0.
 * @returns The first and the last millisecond since the epoch. Never throws.
 */
export function madeWithin(time: string): readonly [first: number, last: number] {
  const at = (filler: string) =>
    [...time.slice(0, TIME_CHARACTERS).padEnd(TIME_CHARACTERS, filler)].reduce(
      (ms, character) => ms * 32 + Math.max(0, ALPHABET.indexOf(character)),
      0,
    );
  return [at('0'), at('Z')];
}
