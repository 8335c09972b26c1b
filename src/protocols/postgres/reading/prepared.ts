import type { WrittenAnew } from '../shown/written-anew.ts';
import type { AnalysedNames } from './analysed-names.ts';
import type { StagedName } from './names.ts';

/** A statement that `Parse` or `PREPARE` named: its text, so that it is judged anew at each Bind. */
export interface Prepared {
  readonly text: string;
  /** Which statement of the text: a simple query may hold several, one of them the PREPARE. */
  readonly index: number;
  /** OIDs of types that its Parse gave its parameters. */
  readonly types: readonly number[];
  /** `PREPARE` named it: what runs is the statement within. */
  readonly inner: boolean;
  readonly analysed: AnalysedNames;
  /** As of `Planned`. */
  readonly writtenAnew?: WrittenAnew;
}

/** How much of `namedTextUnits` it takes: its text, the client's own where that is another, and as much as eight characters for each type. */
export function weightOf({
  text,
  types,
  writtenAnew,
}: Pick<Prepared, 'text' | 'types'> & { readonly writtenAnew?: WrittenAnew | undefined }): number {
  return text.length + (writtenAnew?.own.length ?? 0) + types.length * 8;
}

/** A change of names that waits for the server's word. */
export type Staged = { readonly commit: () => void; readonly discard: () => void };

export function stagedName<T>(
  table: { commit(s: StagedName<T>): void; discard(s: StagedName<T>): void },
  name: StagedName<T>,
): Staged {
  return { commit: () => table.commit(name), discard: () => table.discard(name) };
}
