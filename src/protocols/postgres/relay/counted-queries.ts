import { toHoopError } from '../../../core/errors.ts';
import { after, type Later } from '../../../core/later.ts';
import { Bind, Describe, Execute, Parse } from '../../../wire/postgres/extended.ts';
import { encodeFrontend } from '../../../wire/postgres/frontend.ts';
import { stagedName } from '../reading/prepared.ts';
import type { Forwarder } from './forwarder.ts';
import type { Counted, Expected } from './pipeline.ts';
import { REFUSED_PARSE } from './stand-in.ts';
import type { SessionState } from './state.ts';

type QueryEntry = Extract<Expected, { kind: 'query' }>;

const FLUSH = encodeFrontend({ name: 'Flush' });
const SYNC = encodeFrontend({ name: 'Sync' });

/**
 * Simple queries whose rows must be counted before the server commits them, or before they are shown. Each goes there as the same text in the
 * extended protocol, which commits at Sync alone: that is held back until the count is known, and behind our failing
 * stand-in where it is too large. The client is answered as it asked.
 *
 * @see https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-EXT-QUERY
 */
export class CountedQueries {
  readonly #state: SessionState;
  readonly #out: Forwarder;
  /** COPY takes its data while the query waits for its end. */
  #copying: Promise<void> | undefined;

  constructor(state: SessionState, out: Forwarder) {
    this.#state = state;
    this.#out = out;
  }

  /** What must be over before anything but COPY data is handled. */
  get copying(): Promise<void> | undefined {
    return this.#copying;
  }

  /** @param entry Is put in the queue of what is to be answered. */
  run(entry: QueryEntry, text: string): Later<void> {
    const { pipeline, batch, statements, portals } = this.#state;
    // As a simple query does, it takes the place of what has no name.
    const unnamed = [
      stagedName(statements, statements.stage('', undefined, batch)),
      stagedName(portals, portals.stage('', undefined, batch)),
    ];
    const counted: Counted = { settled: false, tag: undefined, unnamed };
    const query = { ...entry, counted };
    pipeline.push(query);
    if (query.operation !== undefined) this.#state.answers.begin(query.operation);
    this.#out.addBytes(asExtended(text));
    return after(
      this.#out.until(() => this.#settled(query, counted) || this.#state.copyIn),
      () => (this.#state.copyIn ? this.#goOnCopying(query, counted) : this.#conclude(query, counted)),
    );
  }

  /** The client sends data next; where the server fails, nothing at all. */
  #goOnCopying(query: QueryEntry, counted: Counted): void {
    const concluded = async () => {
      await this.#out.until(() => this.#settled(query, counted));
      await this.#conclude(query, counted);
      this.#out.flush();
    };
    this.#copying = concluded()
      .catch((error: unknown) => this.#state.end(toHoopError(error)))
      .finally(() => {
        this.#copying = undefined;
      });
  }

  /** The data has ended: the server says how much it was when it is asked. */
  copied(): Later<void> {
    this.#out.addBytes(FLUSH);
    this.#out.flush();
    return this.#copying;
  }

  /** Done, failed, or skipped by the server because of an error before it. */
  #settled(query: QueryEntry, counted: Counted): boolean {
    return counted.settled || this.#state.pipeline.answered(query);
  }

  #conclude(query: QueryEntry, counted: Counted): Later<void> {
    return after(this.#state.answers.ended(), () => this.#end(query, counted));
  }

  #end(query: QueryEntry, counted: Counted): Later<void> {
    const state = this.#state;
    if (state.ended || !counted.settled) return;
    const refused = query.operation?.refused;
    // Where it was cancelled the server has failed already.
    if (refused !== undefined && !query.failed) {
      query.denial = refused;
      this.#out.addBytes(REFUSED_PARSE);
    }
    state.batch++;
    state.path.synced(state.status === 'T');
    this.#out.addBytes(SYNC);
    return state.uncommittedDdl ? this.#out.answerBarrier() : undefined;
  }
}

function asExtended(sql: string): Buffer {
  return Buffer.concat([
    Parse.encode({ statement: '', sql, parameterTypes: [] }),
    Bind.encode({ portal: '', statement: '', parameterFormats: [], parameters: [], resultFormats: [] }),
    Describe.encode({ kind: 'P', target: '' }),
    Execute.encode({ portal: '', maxRows: 0 }),
    FLUSH,
  ]);
}
