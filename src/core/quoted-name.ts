/**
 * A name in double quotes, each of its own doubled, so that it is read as it stands: nothing in it is folded, and no word of it
 * means anything else.
 *
 * Pure. @see ISO/IEC 9075-2 §5.2, delimited identifiers
 */
export function quotedName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
