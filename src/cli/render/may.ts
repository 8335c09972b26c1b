import type { MayItem, ResourceItem } from '../../api/contract.ts';
import { visible } from './text.ts';

const WORDS = { allow: 'allowed', hold: 'needs approval', deny: 'refused', depends: 'depends' } as const;

/** Room for the longest of the words. */
const WORD_CELLS = WORDS.hold.length;

/**
 * What may be done at each resource, a block for each that says so: `allowed  verb, verb`. Pure.
 *
 * @param width Columns of the terminal; Infinity breaks no line.
 * @returns Lines without LF; none where no resource says anything.
 */
export function mayLines(resources: readonly ResourceItem[], width: number): string[] {
  return resources.flatMap(({ name, may }) => {
    if (may === undefined || may.length === 0) return [];
    return ['', visible(name), ...may.flatMap((item) => mayItemLines(item, width))];
  });
}

/** `allowed  verb, verb (allowed or refused; approval: dba)`, indented; what does not fit goes on below the first verb. Pure. */
export function mayItemLines(item: MayItem, width: number): string[] {
  const { word: effect, how } = mayWords(item);
  const { actions } = item;
  const word = `  ${effect.padEnd(WORD_CELLS)}  `;
  const last = how.length === 0 ? [] : [`(${how.join('; ')})`];
  const pieces = [
    ...actions.map((action, i) => visible(action) + (i < actions.length - 1 ? ',' : '')),
    ...last,
  ];
  const room = Math.max(20, width - word.length);
  return filled(pieces, room).map((line, n) => (n === 0 ? word : ' '.repeat(word.length)) + line);
}

/** What is answered, in words, and beside it what it may come to and whose yes it takes. Pure. */
export function mayWords({ effect, among, approvals }: MayItem): {
  readonly word: string;
  readonly how: readonly string[];
} {
  const how = [
    ...(among === undefined ? [] : [among.map((one) => WORDS[one]).join(' or ')]),
    ...(approvals === undefined ? [] : [`approval: ${approvals.map(visible).join(', ')}`]),
  ];
  return { word: WORDS[effect], how };
}

/** Pieces on lines of at most `room` columns, a blank between them. */
export function filled(pieces: readonly string[], room: number): string[] {
  const all: string[] = [];
  for (const piece of pieces) {
    const line = all.at(-1);
    if (line === undefined || line.length + 1 + piece.length > room) all.push(piece);
    else all[all.length - 1] = `${line} ${piece}`;
  }
  return all;
}
