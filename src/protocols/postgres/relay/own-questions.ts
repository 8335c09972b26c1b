import { randomBytes } from 'node:crypto';
import { encodeFrontend } from '../../../wire/postgres/frontend.ts';
import type { Forwarder } from './forwarder.ts';
import type { OwnQuestion } from './pipeline.ts';
import type { SessionState } from './state.ts';

type TextRow = readonly (string | null)[];

const SYNC = encodeFrontend({ name: 'Sync' });
const FLUSH = encodeFrontend({ name: 'Flush' });

/**
 * Asks the session's own server, between the client's messages and unseen by the client: by a statement and a portal of
 * its own, which are closed at once.
 */
export class OwnQuestions {
  readonly #state: SessionState;
  readonly #out: Forwarder;
  /** No client can know what it is called, or it could take it away. */
  readonly #name = `hoopd:${randomBytes(12).toString('hex')}`;
  #made = 0;

  constructor(state: SessionState, out: Forwarder) {
    this.#state = state;
    this.#out = out;
  }

  /** Whatever is asked of the server now it refuses, but for the end of the transaction. */
  get runsNothing(): boolean {
    const { ended, pipeline, status } = this.#state;
    return ended || pipeline.skipping || (status === 'E' && pipeline.depth === 0);
  }

  /** A question that may be asked many times. */
  messages(sql: string): readonly Buffer[] {
    const target = `${this.#name}:${this.#made++}`;
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

  /** Sends a question, behind all that was sent. */
  send(messages: readonly Buffer[], taken: Pick<OwnQuestion, 'row' | 'rested'>): OwnQuestion {
    const { pipeline } = this.#state;
    // Within a batch a Sync of ours would end the client's transaction.
    const synced = !pipeline.batchOpen;
    const asked: OwnQuestion = {
      ...taken,
      kind: 'own',
      synced,
      complete: false,
      closed: 0,
      failed: false,
    };
    pipeline.push(asked);
    for (const message of messages) this.#out.addBytes(message);
    this.#out.addBytes(synced ? SYNC : FLUSH);
    return asked;
  }

  /** Until the server has answered, or will not. */
  async answered(asked: OwnQuestion): Promise<void> {
    await this.#out.until(() => this.#state.pipeline.answered(asked));
  }

  /** @returns All rows of a query, as text; undefined where the server does not say. */
  readonly rows = async (sql: string): Promise<readonly TextRow[] | undefined> => {
    if (this.runsNothing) return undefined;
    const rows: TextRow[] = [];
    const row = (values: TextRow) => {
      rows.push(values);
    };
    const asked = this.send(this.messages(sql), { row, rested: () => undefined });
    await this.answered(asked);
    return asked.complete && !asked.failed ? rows : undefined;
  };
}
