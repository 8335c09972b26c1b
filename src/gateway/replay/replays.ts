import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { AuditEventItem, AuditQuery } from '../../api/contract.ts';
import type { PolicyReplayItem, PolicyReplayRequest } from '../../api/policy-replay.ts';
import { HoopError } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';
import type { AuditIndex } from '../../search/audit-index.ts';
import type { ReplayAnswer, ReplayQuestion, ReplayWorkerData } from './messages.ts';

/** Decisions in one step: what is in between on the gateway's own thread is a copy of so many. */
const STEP = 200;
/** Decisions of one replay. */
const MAX_EVENTS = 1_000_000;
const PROGRESS_MS = 1000;
/** What policies of the largest size, and counts of the largest number, come to, MiB. */
const HEAP_MB = 512;

export interface ReplayDeps {
  readonly index: Pick<AuditIndex, 'search'>;
  /** Of the policies that are in force. */
  readonly schema: string;
  /** In which rules ask for the time, as it is now. */
  timeZone(): string;
}

/**
 * Asks other policies what the audit says was asked. One at a time, in a thread of its own, and what it reads comes in small
 * steps: sessions go on as if it were not there, but for the processor that it uses.
 */
export class PolicyReplays {
  readonly #deps: ReplayDeps;
  #running = false;

  constructor(deps: ReplayDeps) {
    this.#deps = deps;
  }

  /**
   * @param signal Aborted when nobody waits for it any more: it ends at once.
   * @returns Progress, then the report; or the policies' mistakes.
   * @throws {HoopError} `ERR_LIMIT` another one runs, or the index is behind; `ERR_USAGE` a filter's value will not do.
   */
  async *run(request: PolicyReplayRequest, signal: AbortSignal): AsyncGenerator<PolicyReplayItem> {
    const thread = this.#start({
      files: request.files,
      schema: this.#deps.schema,
      timeZone: this.#deps.timeZone(),
    });
    try {
      const first = await thread.next(signal);
      if (first.kind === 'mistakes') yield first;
      else yield* this.#replay(thread, request, signal);
    } finally {
      this.#running = false;
      await thread.end();
    }
  }

  #start(data: ReplayWorkerData): ReplayThread {
    if (this.#running)
      throw new HoopError('ERR_LIMIT', 'another replay is running', { hint: 'ask again when it has ended' });
    this.#running = true;
    return new ReplayThread(data);
  }

  async *#replay(
    thread: ReplayThread,
    { query, limit }: PolicyReplayRequest,
    signal: AbortSignal,
  ): AsyncGenerator<PolicyReplayItem> {
    let [told, seen, more] = [performance.now(), 0, false];
    for await (const events of this.#steps(query)) {
      const answer = await thread.ask({ kind: 'events', events }, signal);
      seen += events.length;
      more = seen >= MAX_EVENTS;
      if (more) break;
      if (answer.kind !== 'counted' || performance.now() - told < PROGRESS_MS) continue;
      told = performance.now();
      yield { kind: 'progress', events: answer.events, at: answer.at };
    }
    const last = await thread.ask({ kind: 'report', limit, more }, signal);
    if (last.kind === 'report') yield last;
  }

  async *#steps(query: AuditQuery): AsyncGenerator<readonly AuditEventItem[]> {
    const asked = { ...query, type: 'operation.decided', limit: String(STEP) };
    for (let cursor: string | undefined; ; ) {
      const page = await this.#deps.index.search(cursor === undefined ? asked : { ...asked, cursor });
      if (page.events.length > 0) yield page.events;
      cursor = page.next;
      if (cursor === undefined) return;
    }
  }
}

/** One question at a time. */
class ReplayThread {
  readonly #worker: Worker;
  readonly #ended = new AbortController();

  constructor(data: ReplayWorkerData) {
    const name = import.meta.url.endsWith('.ts') ? './replay-worker.ts' : './replay-worker.js';
    this.#worker = new Worker(new URL(name, import.meta.url), {
      workerData: data,
      name: 'policy-replay',
      env: {},
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MB, maxYoungGenerationSizeMb: LIMITS.threadYoungMb },
    });
    this.#worker.unref();
    this.#worker.on('error', (error) => this.#ended.abort(error));
    this.#worker.on('exit', () => this.#ended.abort(new Error('the thread ended')));
  }

  ask(question: ReplayQuestion, signal: AbortSignal): Promise<ReplayAnswer> {
    const answer = this.next(signal);
    this.#worker.postMessage(question);
    return answer;
  }

  /** @throws {HoopError} `ERR_INTERNAL` the thread failed; whatever `signal` was aborted with. */
  async next(signal: AbortSignal): Promise<ReplayAnswer> {
    try {
      const both = AbortSignal.any([signal, this.#ended.signal]);
      const [answer] = (await once(this.#worker, 'message', { signal: both })) as [ReplayAnswer];
      return answer;
    } catch (cause) {
      signal.throwIfAborted();
      const detail = String(this.#ended.signal.reason ?? cause);
      throw new HoopError('ERR_INTERNAL', undefined, { detail, cause });
    }
  }

  async end(): Promise<void> {
    await this.#worker.terminate();
  }
}
