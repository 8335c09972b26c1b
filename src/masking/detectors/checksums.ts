/** Check-digit rules. All take decimal digits as values 0 … 9 and are pure. */

/** @see ISO/IEC 7812-1, annex B */
export function luhn(digits: Uint8Array, from: number, to: number): boolean {
  let sum = 0;
  for (let i = to - 1, double = false; i >= from; i--, double = !double) {
    const digit = digits[i]!;
    sum += double ? (digit > 4 ? digit * 2 - 9 : digit * 2) : digit;
  }
  return sum % 10 === 0;
}

/** ISO 7064 MOD 97-10 over the compact IBAN (no spaces), letters of either case. @see ISO 13616-1 */
export function ibanValid(compact: string): boolean {
  let rest = 0;
  const moved = compact.slice(4) + compact.slice(0, 4);
  for (let i = 0; i < moved.length; i++) {
    const value = Number.parseInt(moved[i]!, 36);
    rest = (value > 9 ? rest * 100 + value : rest * 10 + value) % 97;
  }
  return rest === 1;
}

const D5 =
  '0123456789123406789523401789563401289567401239567859876043216598710432765982104387659321049876543210';
const P8 = '01234567891576283094580379614289160435279453126870428657390127938064157046913258';

/** Verhoeff's dihedral check, as in Aadhaar. @see https://en.wikipedia.org/wiki/Verhoeff_algorithm */
export function verhoeff(digits: Uint8Array, from: number, to: number): boolean {
  let check = 0;
  for (let i = to - 1, position = 0; i >= from; i--, position = (position + 1) % 8) {
    const permuted = P8.charCodeAt(position * 10 + digits[i]!) - 48;
    check = D5.charCodeAt(check * 10 + permuted) - 48;
  }
  return check === 0;
}

/** Brazil's CPF: eleven digits, the last two by weights 10 … 2 and 11 … 2 modulo 11; not all the same. */
export function cpfValid(digits: Uint8Array, from: number): boolean {
  const check = (length: number) => {
    let sum = 0;
    for (let i = 0; i < length; i++) sum += digits[from + i]! * (length + 1 - i);
    return ((sum * 10) % 11) % 10;
  };
  const same = digits.subarray(from, from + 11).every((digit) => digit === digits[from]);
  return !same && check(9) === digits[from + 9] && check(10) === digits[from + 10];
}

/** The number that the digits write, exact up to 15 of them. */
export function numberOf(digits: Uint8Array, from: number, to: number): number {
  let value = 0;
  for (let i = from; i < to; i++) value = value * 10 + digits[i]!;
  return value;
}

/** Netherlands' BSN: nine digits by weights 9 … 2 and -1, divisible by 11. */
export function bsnValid(digits: Uint8Array, from: number): boolean {
  let sum = -digits[from + 8]!;
  for (let i = 0; i < 8; i++) sum += digits[from + i]! * (9 - i);
  return sum % 11 === 0 && numberOf(digits, from, from + 9) > 0;
}

/**
 * Germany's Steuer-ID: of the first ten digits one comes twice or thrice and the others once at most; ISO 7064 MOD 11,10.
 */
export function steuerIdValid(digits: Uint8Array, from: number): boolean {
  const counts = new Uint8Array(10);
  let product = 10;
  for (let i = 0; i < 10; i++) {
    counts[digits[from + i]!]!++;
    const sum = (digits[from + i]! + product) % 10 || 10;
    product = (sum * 2) % 11;
  }
  const repeated = counts.filter((count) => count > 1);
  if (digits[from] === 0 || repeated.length !== 1 || repeated[0]! > 3) return false;
  return digits[from + 10] === (11 - product) % 10;
}

/** Values of characters in odd places of a codice fiscale, from 0 to 9 and A to Z. */
const ODD = [
  1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16,
  10, 22, 25, 24, 23,
];

/** Italy's codice fiscale in upper case: fifteen characters by their places, modulo 26, give the last. */
export function codiceFiscaleValid(code: string): boolean {
  let sum = 0;
  for (let i = 0; i < 15; i++) {
    const value = Number.parseInt(code[i]!, 36);
    sum += i % 2 === 0 ? ODD[value]! : value > 9 ? value - 10 : value;
  }
  return code.charCodeAt(15) - 65 === sum % 26;
}
