const MAX_DIGITS = 64;

/**
 * A JSON number in its plain form: `5`, `-0.25`. Exact: digits are moved, none is lost.
 *
 * @param text As the grammar of JSON has it.
 * @returns Beyond 64 digits `1.5e400`: one digit before the point, no plus sign.
 */
export function plainNumber(text: string): string {
  const [, sign = '', whole = '', fraction = '', power = '0'] =
    /^(-?)([0-9]+)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]+))?$/.exec(text) ?? [];
  const digits = `${whole}${fraction}`.replace(/^0+/, '');
  const significant = digits.replace(/0+$/, '');
  if (significant === '') return '0';
  // The value is 0.significant × 10^point.
  const point = exponent(power) + BigInt(digits.length - fraction.length);
  if (point > MAX_DIGITS || point < -MAX_DIGITS || significant.length > MAX_DIGITS) {
    const rest = significant.slice(1);
    return `${sign}${significant.charAt(0)}${rest === '' ? '' : `.${rest}`}e${point - 1n}`;
  }
  const at = Number(point);
  if (at <= 0) return `${sign}0.${'0'.repeat(-at)}${significant}`;
  if (at >= significant.length) return `${sign}${significant}${'0'.repeat(at - significant.length)}`;
  return `${sign}${significant.slice(0, at)}.${significant.slice(at)}`;
}

/** One that is longer than any body is long stands for all of them. */
function exponent(text: string): bigint {
  const [, sign, digits = ''] = /^([+-]?)0*([0-9]*)$/.exec(text) ?? [];
  const size = digits.length > 18 ? 10n ** 18n : BigInt(digits);
  return sign === '-' ? -size : size;
}
