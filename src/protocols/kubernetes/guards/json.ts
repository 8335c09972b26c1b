/** A value of JSON, as it was parsed; numbers are as they were written where it is to be written again. */
export type Json = unknown;
export type Members = Readonly<Record<string, Json>>;

const NONE: Members = Object.freeze(Object.create(null) as Members);

/** Its members; none where it is no object. */
export function membersOf(value: Json): Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Members) : NONE;
}

/** Its elements; none where it is no array. */
export function listOf(value: Json): readonly Json[] {
  return Array.isArray(value) ? value : [];
}

/** A member that is a string; else empty. */
export function textAt(members: Members, name: string): string {
  const value = members[name];
  return typeof value === 'string' ? value : '';
}

/** Node has both, and TypeScript's library neither. */
const { parse, rawJSON } = JSON as unknown as {
  parse(text: string, revive: (name: string, value: Json, context: { source?: string }) => Json): Json;
  rawJSON(text: string): Json;
};

/** A text of JSON with its numbers as they are written, for `JSON.stringify`: none loses a digit. */
export function parsedToWrite(text: string): Json {
  return parse(text, (_name, value, { source }) =>
    typeof value === 'number' && source !== undefined ? rawJSON(source) : value,
  );
}

/** An integer for `JSON.stringify`: none loses a digit. */
export function numberOf(value: bigint): Json {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : rawJSON(String(value));
}
