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
  return text.replace(UNSAFE, escaped);
}

/** The same where people decide by what they see: nothing is left in it that they do not. */
export function allVisible(text: string): string {
  return text.replace(UNSEEN, escaped);
}

/** Code points named beside a text. */
const MAX_NAMED = 8;

/**
 * Names the characters of a text that are beyond ASCII, `U+0430 (3 times)`: letters that look alike have numbers that do
 * not.
 *
 * Pure. @returns Empty if there is none.
 */
export function foreignCharacters(text: string): string {
  const counts = new Map<string, number>();
  for (const character of text)
    if (character > '\x7f') counts.set(character, (counts.get(character) ?? 0) + 1);
  const named = [...counts].slice(0, MAX_NAMED).map(([character, count]) => {
    const code = character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0');
    return `${allVisible(character)} U+${code}${count > 1 ? ` (${count} times)` : ''}`;
  });
  const more = counts.size > MAX_NAMED ? [`${counts.size - MAX_NAMED} others`] : [];
  return [...named, ...more].join(', ');
}

/** One character, written out. Pure. */
export function escaped(character: string): string {
  if (character === '\n') return '\\n';
  if (character === '\t') return '\\t';
  if (character === '\r') return '\\r';
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x100) return `\\x${code.toString(16).padStart(2, '0')}`;
  return code < 0x10000 ? `\\u${code.toString(16).padStart(4, '0')}` : `\\u{${code.toString(16)}}`;
}

/** Values shown to people and matched by rules: no control or invisible characters, at most 256 of the rest. */
const PLAIN = /^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]{1,256}$/u;

/**
 * Says whether a text may stand in names, logs and terminals as it is.
 *
 * Pure.
 *
 * @param value Anything.
 * @returns True for a string of 1 … 256 characters without control, format and line-separating characters. Never
 *   throws.
 * @see https://www.unicode.org/reports/tr44/#General_Category_Values
 */
export function isPlain(value: unknown): value is string {
  return typeof value === 'string' && PLAIN.test(value);
}
