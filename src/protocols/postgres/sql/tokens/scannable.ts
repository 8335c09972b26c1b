/**
 * A text of the same tokens at the same places that libpg-query's `scan` can list: its list is JSON in which control
 * characters are not escaped. The lexer takes them only inside of quotes and comments, where others of their length do
 * as well.
 *
 * Pure.
 */
export function scannable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for.
  return text.replace(/\v/g, ' ').replace(/[\u0001-\u0008\u000e-\u001f]/g, '.');
}
