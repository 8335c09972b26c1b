/** Characters of a text that people are shown. */
const MOST_CHARS = 2048;

/** Takes out of a text what nobody is to read in the audit: as `DetectedValues.cleanText`. */
export type CleanText = (text: string) => string;

/** Text of a client's for people: without what nobody is to read, and no longer than people read. Never throws. */
export function forPeople(text: string, clean: CleanText): string {
  // Before it is cut: half of a value would be known by nobody.
  const whole = cleaned(text, clean);
  return whole.length > MOST_CHARS ? `${whole.slice(0, MOST_CHARS)}…` : whole;
}

/** The same whole, for what things are called in evidence. Never throws. */
export function cleaned(text: string, clean: CleanText): string {
  try {
    return clean(text);
  } catch {
    return '‹withheld›';
  }
}
