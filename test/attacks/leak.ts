/** Looks for a secret in what a client was sent, in the disguises that a statement can put on it. */

/** Alignments of three octets give base64 three spellings; only what stands whole within them is looked for. */
const BASE64_SHIFTS = [0, 1, 2];
const DIGIT_SHIFTS = [1, 2, 3, 4, 5, 6, 7, 8, 9];
/** Of fewer digits, one that is moved may stand anywhere by chance. */
const DIGITS_THAT_TELL = 9;

/**
 * @param received Every octet that a client was sent.
 * @param secret What must not be in it, UTF-8.
 * @returns The disguise in which it stands there, or undefined. Pure.
 */
export function disguiseOf(received: Buffer, secret: string): string | undefined {
  for (const [what, text] of spellings(secret)) {
    for (const [disguise, form] of disguises(text)) {
      if (received.includes(form)) return `${what}${disguise}`;
    }
  }
  return numberForms(secret).some((form) => received.includes(form)) ? 'binary number' : undefined;
}

/** The secret, reversed, and either of them with every digit moved by as much. */
function spellings(secret: string): [string, string][] {
  const plain: [string, string][] = [
    ['', secret],
    ['reversed ', [...secret].reverse().join('')],
  ];
  if (secret.replace(/\D/g, '').length < DIGITS_THAT_TELL) return plain;
  return plain.flatMap(([what, text]): [string, string][] => [
    [what, text],
    ...DIGIT_SHIFTS.map((by): [string, string] => [`${what}digits moved by ${by} `, moved(text, by)]),
  ]);
}

function moved(text: string, by: number): string {
  return text.replace(/\d/g, (digit) => String((Number(digit) + by) % 10));
}

function disguises(text: string): [string, Buffer][] {
  const bytes = Buffer.from(text);
  return [
    ['clear', bytes],
    ['hex', Buffer.from(bytes.toString('hex'))],
    ['HEX', Buffer.from(bytes.toString('hex').toUpperCase())],
    ['UTF-16', Buffer.from(text, 'utf16le')],
    ...BASE64_SHIFTS.map((shift): [string, Buffer] => ['base64', base64Within(bytes, shift)]),
  ];
}

/** The part of base64 that does not depend on the octets before and behind. */
function base64Within(bytes: Buffer, shift: number): Buffer {
  const shifted = Buffer.concat([Buffer.alloc(shift), bytes])
    .toString('base64')
    .replace(/=+$/, '');
  return Buffer.from(shifted.slice(shift === 0 ? 0 : 4, shifted.length - 1));
}

/** A card number as int8, and as base-10000 digits of numeric. */
function numberForms(secret: string): Buffer[] {
  if (!/^\d{10,18}$/.test(secret)) return [];
  const int8 = Buffer.alloc(8);
  int8.writeBigInt64BE(BigInt(secret));
  const groups = secret.padStart(Math.ceil(secret.length / 4) * 4, '0').match(/\d{4}/g) ?? [];
  return [int8, Buffer.concat(groups.map((group) => Buffer.from([Number(group) >> 8, Number(group) & 255])))];
}
