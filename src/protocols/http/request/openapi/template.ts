/** A path of an OpenAPI file, `/users/{id}/files/{name}.csv`: each segment is literals around expressions. */
export interface PathTemplate {
  readonly text: string;
  /** Of each segment what stands before, between and behind expressions; one literal alone has none. */
  readonly segments: readonly (readonly string[])[];
}

/** Reads a path template. Undefined for what is none. @see OpenAPI 3.1 §4.8.8 */
export function parseTemplate(text: string): PathTemplate | undefined {
  if (!/^\/[^?#\s]*$/.test(text) || text.length > 2048) return undefined;
  const pieces = text === '/' ? [] : text.slice(1).replace(/\/$/, '').split('/');
  const segments: string[][] = [];
  for (const piece of pieces) {
    if (!/^(?:[^{}]|\{[^{}]{1,128}\})+$/.test(piece)) return undefined;
    const literals = piece.split(/\{[^{}]*\}/).map(decoded);
    if (!literals.every((one) => one !== undefined)) return undefined;
    segments.push(literals);
  }
  return { text, segments };
}

function decoded(literal: string): string | undefined {
  try {
    return decodeURIComponent(literal);
  } catch {
    return undefined;
  }
}

/** Whether the template stands for the path: an expression for one character of a segment or more. Linear. */
export function matchesTemplate(template: PathTemplate, segments: readonly string[]): boolean {
  return (
    template.segments.length === segments.length &&
    template.segments.every((literals, at) => matchesSegment(literals, segments[at]!))
  );
}

function matchesSegment(literals: readonly string[], segment: string): boolean {
  const [first, last] = [literals[0]!, literals[literals.length - 1]!];
  if (literals.length === 1) return segment === first;
  if (!segment.startsWith(first)) return false;
  let at = first.length;
  for (const literal of literals.slice(1, -1)) {
    const found = segment.indexOf(literal, at + 1);
    if (found === -1) return false;
    at = found + literal.length;
  }
  return segment.length - last.length > at && segment.endsWith(last);
}

/** How much of a segment is given: all of it, some, nothing. */
function rank(literals: readonly string[]): number {
  if (literals.length === 1) return 0;
  return literals.some((literal) => literal !== '') ? 1 : 2;
}

/** Sorts the more specific first: the first segment in which they differ decides. */
export function bySpecificity(a: PathTemplate, b: PathTemplate): number {
  for (const [at, literals] of a.segments.entries()) {
    const difference = rank(literals) - rank(b.segments[at] ?? []);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Whether no segment of `a` gives less than that of `b`: then everybody takes `a` where both fit. */
export function isAsSpecific(a: PathTemplate, b: PathTemplate): boolean {
  const ranks = a.segments.map((literals, at) => rank(literals) - rank(b.segments[at] ?? []));
  return ranks.every((one) => one <= 0) && ranks.some((one) => one < 0);
}
