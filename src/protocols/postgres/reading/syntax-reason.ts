/** Quotes of every kind: within them values stand, and where one is left out, words of a value stand by themselves. */
const QUOTES = /['"$]/;
const PLACE = / at or near "(.*)"$/s;
/** A word that holds no figure, or signs. */
const PLAIN = /^(?:[\p{L}_]+|[^\p{L}\p{N}\s'"$]+)$/u;

/**
 * What PostgreSQL's grammar says of a text, without pieces of values in it: a reason is kept on record, and recorded as it was
 * told, for people who may not see them. Where it went wrong is told by the position.
 *
 * @param message As the grammar has it, English.
 * @param text What it was said of.
 * @returns The message, cut before the first word of the text that may be one of a value. Pure.
 */
export function syntaxReason(message: string, text: string): string {
  if (!QUOTES.test(text)) {
    const near = PLACE.exec(message)?.[1];
    if (near === undefined || PLAIN.test(near)) return message;
  }
  const cut = message
    .replace(PLACE, '')
    .replace(/[:"].*$/s, '')
    .trimEnd();
  return cut === '' ? 'syntax error' : cut;
}
