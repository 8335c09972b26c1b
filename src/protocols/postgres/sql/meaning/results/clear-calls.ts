import { ROWS } from '../../../catalog/system/objects.ts';
import type { LazyAnalysis } from '../analysed.ts';
import type { IsMasked } from '../lineage.ts';
import type { SearchPath } from '../name-scope.ts';
import { contentOf, type FunctionCall } from './calls.ts';
import type { FunctionReads } from './function-reads.ts';

/** Says of the calls of one statement which of them touch nothing that is masked. */
export class ClearCalls {
  readonly #analysed: LazyAnalysis;
  readonly #reads: FunctionReads;
  readonly #path: SearchPath;
  readonly #isMasked: IsMasked;
  #calls: ReadonlyMap<string, readonly FunctionCall[]> | undefined;

  constructor(analysed: LazyAnalysis, reads: FunctionReads, path: SearchPath, isMasked: IsMasked) {
    this.#analysed = analysed;
    this.#reads = reads;
    this.#path = path;
    this.#isMasked = isMasked;
  }

  /**
   * Whether every call by that name, of whatever schema, gives what is made of its arguments and of columns that are not masked.
   *
   * @returns False too where that is not certain. Pure.
   */
  isClear(name: string): boolean {
    this.#calls ??= this.#find();
    const calls = this.#calls.get(name) ?? [];
    return calls.length > 0 && calls.every((call) => this.#isClearCall(call));
  }

  #find(): ReadonlyMap<string, readonly FunctionCall[]> {
    const found = this.#analysed();
    if (found === undefined) return new Map();
    const { calls } = contentOf(found.query);
    const written = calls.filter(({ kind }) => kind !== 'operator');
    return Map.groupBy(written, ({ fn }) => found.catalog.function(fn)?.name ?? '');
  }

  #isClearCall(call: FunctionCall): boolean {
    const touched = this.#reads.of(call, this.#path);
    return (
      touched !== undefined &&
      [...touched].every((key) => {
        const [relation = 0, attribute = 0] = key.split('.').map(Number);
        return attribute === ROWS ? !this.#areRowsMasked(relation) : !this.#isMasked(relation, attribute);
      })
    );
  }

  /** Which rows a view has is decided by what is masked: that is seen in all of its columns. */
  #areRowsMasked(relation: number): boolean {
    const { kind, columns = [] } = this.#analysed()?.catalog.relation(relation) ?? {};
    const isMade = kind === 'v' || kind === 'm';
    return isMade && columns.every(({ attnum }) => this.#isMasked(relation, attnum));
  }
}
