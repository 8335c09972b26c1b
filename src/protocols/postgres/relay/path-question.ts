import { randomBytes } from 'node:crypto';
import { encodeFrontend } from '../../../wire/postgres/frontend.ts';
import { MOVED_QUESTION, PATH_QUESTION } from '../reading/session-path.ts';
import type { SearchPath } from '../sql/meaning/name-scope.ts';
import type { Forwarder } from './forwarder.ts';
import type { PathQuestion } from './pipeline.ts';
import type { SessionState } from './state.ts';

const SYNC = encodeFrontend({ name: 'Sync' });
const FLUSH = encodeFrontend({ name: 'Flush' });
/** A question may be overtaken once by what was sent in between. */
const TRIES = 3;

/**
 * Asks the session's own server for its search path, between the client's messages and unseen by the client: by a
 * statement and a portal of its own, which are closed at once.
 */
export class PathAsker {
  readonly #state: SessionState;
  readonly #out: Forwarder;
  /** Names that no client can know, or it could take them away. */
  readonly #usual: readonly Buffer[];
  readonly #moved: readonly Buffer[];
  #asked: PathQuestion | undefined;

  constructor(state: SessionState, out: Forwarder) {
    this.#state = state;
    this.#out = out;
    const target = `hoopd:${randomBytes(12).toString('hex')}`;
    this.#usual = messages(target, PATH_QUESTION);
    this.#moved = messages(target, MOVED_QUESTION);
  }

  /** @returns Undefined where the server does not say: then nothing can be resolved. */
  async learn(): Promise<SearchPath | undefined> {
    const { path, pipeline } = this.#state;
    for (let tries = 0; tries < TRIES; tries++) {
      if (path.known !== undefined) return path.known;
      if (path.last !== undefined && this.#runsNothing) return path.last;
      const asked = this.#asked ?? this.ask();
      await this.#out.until(() => pipeline.answered(asked));
      this.#asked = undefined;
    }
    return path.known ?? (this.#runsNothing ? path.last : undefined);
  }

  /** Whatever is asked of the server now it refuses, but for the end of the transaction. */
  get #runsNothing(): boolean {
    const { ended, pipeline, status } = this.#state;
    return ended || pipeline.skipping || (status === 'E' && pipeline.depth === 0);
  }

  /** A transaction may be open, if only that of a batch: with none there is nothing that it could hold. */
  get #inTransaction(): boolean {
    const { pipeline, status } = this.#state;
    return status !== 'I' || pipeline.batchOpen || pipeline.depth > 0;
  }

  /** Sends the question, behind all that was sent. */
  ask(): PathQuestion {
    const { pipeline, path } = this.#state;
    const moved = path.moved && this.#inTransaction;
    // Within a batch a Sync of ours would end the client's transaction.
    const synced = !pipeline.batchOpen;
    const asked: PathQuestion = {
      kind: 'path',
      synced,
      marks: path.marks,
      changed: path.changed,
      closed: 0,
      failed: false,
    };
    pipeline.push(asked);
    for (const message of moved ? this.#moved : this.#usual) this.#out.addBytes(message);
    this.#out.addBytes(synced ? SYNC : FLUSH);
    this.#asked = asked;
    return asked;
  }
}

function messages(target: string, sql: string): readonly Buffer[] {
  return [
    encodeFrontend({ name: 'Parse', statement: target, sql, parameterTypes: [] }),
    encodeFrontend({
      name: 'Bind',
      portal: target,
      statement: target,
      parameterFormats: [],
      parameters: [],
      resultFormats: [],
    }),
    encodeFrontend({ name: 'Execute', portal: target, maxRows: 0 }),
    encodeFrontend({ name: 'Close', kind: 'P', target }),
    encodeFrontend({ name: 'Close', kind: 'S', target }),
  ];
}
