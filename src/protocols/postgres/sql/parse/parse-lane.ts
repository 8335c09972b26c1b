import { Worker } from 'node:worker_threads';
import { HoopError } from '../../../../core/errors.ts';
import { FairQueue } from '../../../../core/fair-queue.ts';
import { LIMITS } from '../../../../core/limits.ts';
import type { ParseQuestion, ParseReply, ParseRequest, WorkerSettings } from './parse-worker.ts';

/** Beside the sources it is a `.ts` file; in the bundle a `.js` file in the same flat folder. */
const WORKER_FILE = new URL(
  import.meta.url.endsWith('.ts') ? './parse-worker.ts' : './parse-worker.js',
  import.meta.url,
);

export interface LaneOptions {
  /** Longest time one text may take, ms. */
  readonly watchdogMs: number;
  /** Longest time the thread may take to start, ms. */
  readonly startMs: number;
  /** Texts handed to the thread before it has answered: the next is at hand when one is done. */
  readonly ahead: number;
  /** The thread ends when it has had nothing to do for so long, ms; undefined: it stays. */
  readonly idleMs?: number;
  /** Heap of the thread, MiB. */
  readonly heapMb: number;
  /** 0 … 19: whom the thread lets go first where there are fewer cores than threads. */
  readonly niceness: number;
}

interface Job {
  readonly request: ParseRequest;
  readonly resolve: (reply: ParseReply) => void;
  readonly reject: (error: HoopError) => void;
}

/** Octets after which a thread is replaced: WebAssembly memory grows and never shrinks. */
const RECYCLE_OCTETS = 1024 * 1024;

/**
 * One thread that parses, and the texts that wait for it: each asker has its share.
 *
 * The text at the head when the thread hangs or dies is taken as the culprit: it is refused, the thread is replaced, and
 * the texts behind it are asked again.
 */
export class ParseLane {
  readonly #options: LaneOptions;
  readonly #waiting = new FairQueue<Job>();
  /** Handed to the thread, in order. */
  readonly #asked: Job[] = [];
  #worker: Worker | undefined;
  #ready = false;
  /** A thread is on its way out. */
  #ending = false;
  #closed = false;
  #nextId = 1;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: LaneOptions) {
    this.#options = options;
  }

  /**
   * @param asker Whoever asks: askers have equal shares.
   * @throws {HoopError} `ERR_SESSION_ENDED` the lane was closed.
   */
  parse(question: ParseQuestion, asker: object): Promise<ParseReply> {
    return new Promise((resolve, reject) => {
      const request = { ...question, id: this.#nextId++ };
      this.#waiting.push(asker, { request, resolve, reject }, question.text.length);
      if (this.#worker === undefined && !this.#ending) this.#start();
      this.#hand();
      if (this.#asked.length === 1) this.#watch();
    });
  }

  /** Ends the thread; whatever waits is rejected. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    for (const job of [...this.#asked.splice(0), ...this.#waiting.clear()])
      job.reject(new HoopError('ERR_SESSION_ENDED'));
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.terminate();
  }

  #start(): void {
    const worker = new Worker(WORKER_FILE, {
      resourceLimits: {
        stackSizeMb: 64,
        maxOldGenerationSizeMb: this.#options.heapMb,
        maxYoungGenerationSizeMb: LIMITS.threadYoungMb,
      },
      env: {},
      workerData: { niceness: this.#options.niceness } satisfies WorkerSettings,
      stdout: true,
      stderr: true,
    });
    this.#worker = worker;
    this.#ready = false;
    // A dying WebAssembly instance prints memory statistics; they say nothing to an operator.
    worker.stdout.resume();
    worker.stderr.resume();
    worker.on('message', (message: ParseReply | 'ready') => this.#onMessage(worker, message));
    worker.on('error', (error) => this.#onDeath(worker, error.message));
    worker.on('exit', () => this.#onDeath(worker, 'the parser thread ended'));
    for (const { request } of this.#asked) worker.postMessage(request);
  }

  #hand(): void {
    while (this.#asked.length < this.#options.ahead) {
      const job = this.#waiting.shift();
      if (job === undefined) return;
      this.#asked.push(job);
      this.#worker?.postMessage(job.request);
    }
  }

  /** Gives the head its time; an idle thread does not keep the process alive, and a spare one does not stay. */
  #watch(): void {
    clearTimeout(this.#timer);
    const worker = this.#worker;
    if (worker === undefined) return;
    if (this.#asked.length > 0) {
      worker.ref();
      const ms = this.#ready ? this.#options.watchdogMs : this.#options.startMs;
      this.#timer = setTimeout(() => this.#onDeath(worker, 'the watchdog ran out'), ms);
      return;
    }
    worker.unref();
    const { idleMs } = this.#options;
    if (idleMs !== undefined) this.#timer = setTimeout(() => this.#replace(worker), idleMs).unref();
  }

  #onMessage(worker: Worker, message: ParseReply | 'ready'): void {
    if (worker !== this.#worker) return;
    if (message === 'ready') {
      this.#ready = true;
      return this.#watch();
    }
    if ('fatal' in message) return this.#onDeath(worker, message.fatal);
    const job = this.#asked[0];
    // Answers come in order; anything else means that the thread is not to be trusted.
    if (job === undefined || job.request.id !== message.id)
      return this.#onDeath(worker, 'an answer out of order');
    this.#asked.shift();
    if (job.request.text.length > RECYCLE_OCTETS) this.#replace(worker);
    this.#hand();
    this.#watch();
    job.resolve(message);
  }

  #onDeath(worker: Worker, detail: string): void {
    if (worker !== this.#worker) return;
    const culprit = this.#asked.shift();
    this.#replace(worker);
    this.#hand();
    this.#watch();
    culprit?.resolve({ id: culprit.request.id, fatal: detail });
  }

  #replace(worker: Worker): void {
    clearTimeout(this.#timer);
    this.#worker = undefined;
    this.#ending = true;
    const ended = () => {
      this.#ending = false;
      if (this.#closed || this.#asked.length + this.#waiting.size === 0) return;
      this.#start();
      this.#hand();
      this.#watch();
    };
    // The next begins when its memory is free: two together would hold twice as much.
    worker.terminate().then(ended, ended);
  }
}
