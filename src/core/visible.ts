/** Controls, format characters (bidi marks, zero-width), surrogates, private use, unassigned, line separators. */
const UNSAFE = /[\p{C}\p{Zl}\p{Zp}]/gu;
/** Those, what has no width or shape either (variation selectors, joiners, fillers), and every space but the common one. */
const UNSEEN = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]|[^\P{Zs} ]/gu;

/**
 * Makes text of strangers safe to show on one line: unsafe characters become `\n`, `\x1b`, `\u202e`.
 *
 * Pure. @returns Text whose every code point is printable.
 * @see https://www.unicode.org/reports/tr36/#Bidirectional_Text_Spoofing
 */
export function visible(text: string): string {
  return text.replace(UNSAFE, written);
}

/** The same where people decide by what they see: nothing is left in it that they do not. */
export function allVisible(text: string): string {
  return text.replace(UNSEEN, written);
}

function written(character: string): string {
  if (character === '\n') return '\\n';
  if (character === '\t') return '\\t';
  if (character === '\r') return '\\r';
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x100) return `\\x${code.toString(16).padStart(2, '0')}`;
  return code < 0x10000 ? `\\u${code.toString(16).padStart(4, '0')}` : `\\u{${code.toString(16)}}`;
}
