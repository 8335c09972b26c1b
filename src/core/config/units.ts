const TIMES = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
] as const;
const SIZES = [
  ['GiB', 1024 ** 3],
  ['MiB', 1024 ** 2],
  ['KiB', 1024],
] as const;

/** A time as configuration and rules write it: `1h`, `90s`, `1500ms`. Pure. @param ms A whole number above 0. */
export function durationText(ms: number): string {
  return inUnits(ms, TIMES, 'ms');
}

/** A size likewise, `10MiB`, or `1500 octets`. Pure. @param octets A whole number above 0. */
export function sizeText(octets: number): string {
  return inUnits(octets, SIZES, ' octets');
}

/** In the largest unit of which it is a whole number. */
function inUnits(amount: number, units: readonly (readonly [string, number])[], least: string): string {
  const [unit, size] = units.find(([, one]) => amount % one === 0) ?? [least, 1];
  return `${amount / size}${unit}`;
}
