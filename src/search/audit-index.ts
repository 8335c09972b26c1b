import { Worker } from 'node:worker_threads';
import type { AuditEventItem, AuditPage, AuditQuery, SessionItem, SessionQuery } from '../api/contract.ts';
import { HoopError } from '../core/errors.ts';
import { LIMITS } from '../core/limits.ts';
import type { IndexAnswer, IndexQuestion, IndexResponse, IndexWorkerData } from './messages.ts';
import type { AuditScope } from './query.ts';
import type { SessionPage, SessionPlace, SessionScope } from './sessions.ts';

/**
 * Search over the audit chains. It shows what the chains hold, without what is sealed, and looks only at masked text.
 *
 * Every answer includes what was stored before the call. Errors of all: `ERR_LIMIT` the index is too far behind and
 * is catching up, ask again; `ERR_INTERNAL` its thread failed, the next call starts another.
 */
export interface AuditIndex {
  /**
   * Newest first; a decision and its outcome are one event, whose `outcome` is `unknown` while none is on record.
   * `chain` and `seq` say where it stands.
   *
   * @param scope Limits what is seen whatever the query says.
   * @throws {HoopError} `ERR_USAGE` a filter's value will not do.
   */
  search(query: AuditQuery, scope?: AuditScope): Promise<AuditPage>;
  /** One event by its `evt_…` id; undefined if there is none in the scope. */
  event(id: string, scope?: AuditScope): Promise<AuditEventItem | undefined>;
  /**
   * One page, newest first. Sessions under which the gateway died have `endReason: 'interrupted'`.
   *
   * @param scope As of `search`.
   * @throws {HoopError} `ERR_USAGE` a filter's value will not do.
   */
  sessions(query?: SessionQuery, scope?: SessionScope): Promise<SessionPage>;
  /** One session by its `ses_…` id; undefined if there is none in the scope. */
  session(id: string, scope?: SessionScope): Promise<SessionItem | undefined>;
  /** Resources that sessions were at, whoever's. */
  sessionPlaces(): Promise<readonly SessionPlace[]>;
  close(): Promise<void>;
}

export interface AuditIndexOptions {
  /** The audit log's directory. */
  readonly dir: string;
  /** The index's own file; derived: deleted, it is made again. */
  readonly file: string;
}

type Waiting = {
  readonly resolve: (answer: IndexAnswer) => void;
  readonly reject: (error: HoopError) => void;
};

/** Starts the index's thread, which begins to read the chains at once. It does not keep the process alive. */
export function openAuditIndex(options: AuditIndexOptions): AuditIndex {
  const worker = new IndexThread(options);
  return {
    search: async (query, scope) => (await worker.ask({ kind: 'search', query, scope })) as AuditPage,
    event: async (id, scope) =>
      (await worker.ask({ kind: 'event', id, scope })) as AuditEventItem | undefined,
    sessions: async (query = {}, scope = undefined) =>
      (await worker.ask({ kind: 'sessions', query, scope })) as SessionPage,
    session: async (id, scope) =>
      (await worker.ask({ kind: 'session', id, scope })) as SessionItem | undefined,
    sessionPlaces: async () => (await worker.ask({ kind: 'places' })) as readonly SessionPlace[],
    close: () => worker.close(),
  };
}

class IndexThread {
  readonly #data: IndexWorkerData;
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | undefined;
  #calls = 0;
  #closed = false;

  constructor(data: IndexWorkerData) {
    this.#data = { dir: data.dir, file: data.file };
    this.#start();
  }

  ask(question: IndexQuestion): Promise<IndexAnswer> {
    if (this.#closed) return Promise.reject(new HoopError('ERR_INTERNAL', 'the audit index is closed'));
    const worker = this.#worker ?? this.#start();
    const call = ++this.#calls;
    return new Promise((resolve, reject) => {
      this.#waiting.set(call, { resolve, reject });
      worker.ref();
      worker.postMessage({ ...question, call });
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#worker?.terminate();
  }

  #start(): Worker {
    const name = import.meta.url.endsWith('.ts') ? './index-worker.ts' : './index-worker.js';
    const worker = new Worker(new URL(name, import.meta.url), {
      workerData: this.#data,
      name: 'audit-index',
      resourceLimits: { maxYoungGenerationSizeMb: LIMITS.threadYoungMb },
    });
    worker.unref();
    worker.on('message', (response: IndexResponse) => this.#answered(response));
    // An 'exit' follows, which tells those who wait.
    worker.on('error', () => undefined);
    worker.on('exit', () => this.#ended(worker));
    this.#worker = worker;
    return worker;
  }

  #answered(response: IndexResponse): void {
    const waiting = this.#waiting.get(response.call);
    this.#waiting.delete(response.call);
    if (this.#waiting.size === 0) this.#worker?.unref();
    if ('answer' in response) waiting?.resolve(response.answer);
    else {
      const { code, message, ...extras } = response.error;
      waiting?.reject(new HoopError(code, message, extras));
    }
  }

  #ended(worker: Worker): void {
    if (this.#worker === worker) this.#worker = undefined;
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    const detail = 'the thread of the audit index ended';
    for (const { reject } of waiting) reject(new HoopError('ERR_INTERNAL', undefined, { detail }));
  }
}
