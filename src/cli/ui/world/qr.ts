/** What a phone's camera reads off a screen. */

/** A longer text would need more modules than any window has. */
const MAX_BYTES = 250;

/**
 * A QR code of an address, its least error correction: a screen has no scratches. Its encoder is loaded when it is wanted.
 *
 * @returns A line for each row of modules, `#` dark and `.` light, without the quiet zone; undefined: no web address, or too long.
 */
export async function qrModules(address: string): Promise<readonly string[] | undefined> {
  if (!/^https?:\/\/[\x21-\x7e]+$/.test(address) || address.length > MAX_BYTES) return undefined;
  const { default: qrcode } = await import('qrcode-generator');
  const code = qrcode(0, 'L');
  code.addData(address, 'Byte');
  code.make();
  const numbers = [...Array(code.getModuleCount()).keys()];
  return numbers.map((row) => numbers.map((column) => (code.isDark(row, column) ? '#' : '.')).join(''));
}
