/** As much of a policy's fault as is looked at here. */
interface Fault {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly message: string;
  readonly cure: string;
}

/** Cedar checks a rule once for each kind of entity that it may be about. */
const ATTRIBUTE = /^(attribute `[^`]*`) (?:on|for) entity type `([^`]*)` not found$/;
const SHOWN = 3;

/**
 * One fault for what is one mistake: an attribute that is missing on many kinds at the same place. Pure.
 *
 * @returns The faults in the order of the first of each.
 */
export function joinSamePlace(faults: readonly Fault[]): Fault[] {
  const groups = new Map<string, Fault[]>();
  for (const fault of faults) {
    const [, attribute] = ATTRIBUTE.exec(fault.message) ?? [];
    const key = JSON.stringify([fault.file, fault.line, fault.column, attribute ?? fault.message]);
    groups.set(key, [...(groups.get(key) ?? []), fault]);
  }
  return [...groups.values()].map(joined);
}

function joined(group: readonly Fault[]): Fault {
  const [first] = group as [Fault];
  const [, attribute] = ATTRIBUTE.exec(first.message) ?? [];
  if (group.length === 1 || attribute === undefined) return first;
  const kinds = group.map(({ message }) => ATTRIBUTE.exec(message)?.[2] ?? '').toSorted();
  const rest = kinds.length - SHOWN;
  const shown = kinds.slice(0, SHOWN).join(', ') + (rest > 0 ? ` and ${rest} more` : '');
  const cure = mostFrequent(group.map((fault) => fault.cure).filter((text) => text !== ''));
  return {
    ...first,
    message: `${attribute} not found on ${shown}`,
    cure: `${cure ?? ''} say which kind the rule is about, as in \`resource is ${kinds[0]}\`, or ask \`has\` first`.trim(),
  };
}

function mostFrequent(words: readonly string[]): string | undefined {
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return [...counts].toSorted(([, a], [, b]) => b - a)[0]?.[0];
}
