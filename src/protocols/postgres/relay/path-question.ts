import { MOVED_QUESTION, PATH_QUESTION } from '../reading/session-path.ts';
import type { SearchPath } from '../sql/meaning/name-scope.ts';
import type { OwnQuestions } from './own-questions.ts';
import type { OwnQuestion } from './pipeline.ts';
import type { SessionState } from './state.ts';

/** A question may be overtaken once by what was sent in between. */
const TRIES = 3;

/** Asks the session's own server for its search path. */
export class PathAsker {
  readonly #state: SessionState;
  readonly #questions: OwnQuestions;
  readonly #usual: readonly Buffer[];
  readonly #moved: readonly Buffer[];
  #asked: OwnQuestion | undefined;

  constructor(state: SessionState, questions: OwnQuestions) {
    this.#state = state;
    this.#questions = questions;
    this.#usual = questions.messages(PATH_QUESTION);
    this.#moved = questions.messages(MOVED_QUESTION);
  }

  /** @returns Undefined where the server does not say: then nothing can be resolved. */
  async learn(): Promise<SearchPath | undefined> {
    const { path } = this.#state;
    for (let tries = 0; tries < TRIES; tries++) {
      if (path.known !== undefined) return path.known;
      if (path.last !== undefined && this.#questions.runsNothing) return path.last;
      await this.#questions.answered(this.#asked ?? this.ask());
      this.#asked = undefined;
    }
    return path.known ?? (this.#questions.runsNothing ? path.last : undefined);
  }

  /** A transaction may be open, if only that of a batch: with none there is nothing that it could hold. */
  get #inTransaction(): boolean {
    const { pipeline, status } = this.#state;
    return status !== 'I' || pipeline.batchOpen || pipeline.depth > 0;
  }

  /** Sends the question, behind all that was sent. */
  ask(): OwnQuestion {
    const { path } = this.#state;
    const moved = path.moved && this.#inTransaction;
    const { marks, changed } = path;
    this.#asked = this.#questions.send(moved ? this.#moved : this.#usual, {
      row: (values) => path.answered(values, { marks, changed }),
      rested: () => path.settled(marks),
    });
    return this.#asked;
  }
}
