import type { Difference } from './compare.ts';

export interface Case {
  /** Where it is: a file, or a name. */
  readonly at: string;
  readonly sql: string;
}

/** Counts what came of one corpus on one version. */
export class Tally {
  readonly corpus: string;
  readonly major: number;
  /** Told before its statements come. */
  at = '';
  #understood = 0;
  #refused = 0;
  readonly refusals: (Case & { readonly error: string })[] = [];
  readonly differing: (Case & { readonly differences: readonly Difference[] })[] = [];
  readonly broken: (Case & { readonly error: string })[] = [];
  /** By the message. */
  readonly uncertainties = new Map<string, Case[]>();

  constructor(corpus: string, major: number) {
    this.corpus = corpus;
    this.major = major;
  }

  refused(sql: string, error: string): void {
    this.#refused++;
    this.refusals.push({ at: this.at, sql, error });
  }

  agrees(): void {
    this.#understood++;
  }

  differs(sql: string, differences: readonly Difference[]): void {
    this.#understood++;
    this.differing.push({ at: this.at, sql, differences });
  }

  uncertain(sql: string, message: string): void {
    const cases = this.uncertainties.get(message) ?? [];
    this.uncertainties.set(message, [...cases, { at: this.at, sql }]);
  }

  broke(sql: string, error: string): void {
    this.broken.push({ at: this.at, sql, error });
  }

  get counts() {
    const uncertain = [...this.uncertainties.values()].reduce((sum, cases) => sum + cases.length, 0);
    return {
      accepted: this.#understood + uncertain + this.broken.length,
      understood: this.#understood,
      differ: this.differing.length,
      broken: this.broken.length,
      refused: this.#refused,
    };
  }
}
