import { Worker } from 'node:worker_threads';
import { HoopError } from '../../../core/errors.ts';
import { LIMITS } from '../../../core/limits.ts';
import type { ParsedSql } from './facts.ts';
import { NEWEST_MAJOR, readsOtherwise } from './keywords.ts';
import { TextCache } from './parse-cache.ts';
import type { ParseReply, ParseRequest } from './parse-worker.ts';

export { maskLiterals } from './literals.ts';

/** Beside the sources it is a `.ts` file; in the bundle a `.js` file in the same flat folder. */
const WORKER_FILE = new URL(
  import.meta.url.endsWith('.ts') ? './parse-worker.ts' : './parse-worker.js',
  import.meta.url,
);

export interface SqlParserOptions {
  /** Longest time one statement text may take, ms; default 2,000. */
  readonly watchdogMs?: number;
  /** Longest time the thread may take to start, ms; default 15,000. */
  readonly startMs?: number;
}

interface Job {
  readonly id: number;
  readonly text: string;
  readonly major: number;
  /** Equal for texts that are read alike. */
  readonly key: string;
  readonly resolve: (parsed: ParsedSql) => void;
  readonly reject: (error: HoopError) => void;
}

type Answer = ParsedSql | HoopError;

/** Octets after which a thread is replaced: WebAssembly memory grows and never shrinks. */
const RECYCLE_OCTETS = 1024 * 1024;

/**
 * Parses SQL text in a thread of its own, so that no text can block, crash or confuse the gateway.
 *
 * Requests are answered in order. The text at the head when the thread hangs or dies is taken as the culprit: it is
 * refused, the thread is replaced, and the texts behind it are asked again.
 */
export class SqlParser {
  readonly #watchdogMs: number;
  readonly #startMs: number;
  readonly #cache = new TextCache<Answer>({ entries: 2_000, chars: 2_000_000, textChars: 8_192 });
  readonly #jobs: Job[] = [];
  #worker: Worker | undefined;
  #ready = false;
  #closed = false;
  #nextId = 1;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: SqlParserOptions = {}) {
    this.#watchdogMs = options.watchdogMs ?? 2_000;
    this.#startMs = options.startMs ?? 15_000;
  }

  /**
   * Says what a SQL text asks for.
   *
   * @param text One text as sent by a client, 0 or more statements, at most `LIMITS.sqlTextBytes` octets of UTF-8.
   * @param major Major version of the server that is to run it: the text is read as that version reads it.
   * @returns Facts of each statement in order; none for an empty text. Shared between callers: read-only.
   * @throws {HoopError} `ERR_SQL_SYNTAX` not SQL, with PostgreSQL's message; `ERR_SQL_LIMIT` too long, too deep, took
   *   too long, or broke the parser. Either way: forward nothing.
   */
  parse(text: string, major = NEWEST_MAJOR): Promise<ParsedSql> {
    const refusal = this.#closed ? new HoopError('ERR_SESSION_ENDED') : checkText(text);
    if (refusal !== undefined) return Promise.reject(refusal);
    // No text that is parsed holds a NUL.
    const key = readsOtherwise(text, major) ? `${major}\0${text}` : text;
    const known = this.#cache.get(key);
    if (known instanceof HoopError) return Promise.reject(known);
    if (known !== undefined) return Promise.resolve(known);
    return new Promise((resolve, reject) => {
      const job = { id: this.#nextId++, text, major, key, resolve, reject };
      this.#jobs.push(job);
      if (this.#worker === undefined) this.#start();
      else this.#worker.postMessage(request(job));
      if (this.#jobs.length === 1) this.#watch();
    });
  }

  /** Ends the thread; whatever waits is rejected with `ERR_SESSION_ENDED`. Safe to call twice. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    for (const job of this.#jobs.splice(0)) job.reject(new HoopError('ERR_SESSION_ENDED'));
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.terminate();
  }

  #start(): void {
    const worker = new Worker(WORKER_FILE, {
      resourceLimits: { stackSizeMb: 64, maxOldGenerationSizeMb: 512 },
      env: {},
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
    for (const job of this.#jobs) worker.postMessage(request(job));
    this.#watch();
  }

  /** Gives the head its time; an idle thread does not keep the process alive. */
  #watch(): void {
    clearTimeout(this.#timer);
    const worker = this.#worker;
    if (this.#jobs.length === 0) {
      worker?.unref();
      return;
    }
    worker?.ref();
    this.#timer = setTimeout(
      () => worker !== undefined && this.#onDeath(worker, 'the watchdog ran out'),
      this.#ready ? this.#watchdogMs : this.#startMs,
    );
  }

  #onMessage(worker: Worker, message: ParseReply | 'ready'): void {
    if (worker !== this.#worker) return;
    if (message === 'ready') {
      this.#ready = true;
      return this.#watch();
    }
    if ('fatal' in message) return this.#onDeath(worker, message.fatal);
    const job = this.#jobs[0];
    // Answers come in order; anything else means that the thread is not to be trusted.
    if (job === undefined || job.id !== message.id) return this.#onDeath(worker, 'an answer out of order');
    this.#jobs.shift();
    this.#settle(job, toAnswer(message));
    if (job.text.length > RECYCLE_OCTETS) this.#replace(worker);
    else this.#watch();
  }

  #onDeath(worker: Worker, detail: string): void {
    if (worker !== this.#worker) return;
    const culprit = this.#jobs.shift();
    if (culprit !== undefined) this.#settle(culprit, limitError('the statement cannot be analysed', detail));
    this.#replace(worker);
  }

  #replace(worker: Worker): void {
    clearTimeout(this.#timer);
    this.#worker = undefined;
    worker.terminate().catch(() => undefined);
    if (this.#jobs.length > 0) this.#start();
  }

  #settle(job: Job, answer: Answer): void {
    this.#cache.set(job.key, answer);
    if (answer instanceof HoopError) job.reject(answer);
    else job.resolve(answer);
  }
}

function request({ id, text, major }: Job): ParseRequest {
  return { id, text, major };
}

function toAnswer(reply: ParseReply): Answer {
  if ('parsed' in reply) return JSON.parse(reply.parsed) as ParsedSql;
  if ('syntax' in reply) {
    return new HoopError('ERR_SQL_SYNTAX', reply.syntax, {
      hint: `the SQL is not valid near character ${reply.position + 1}; correct it and send it again`,
    });
  }
  return limitError('the statement is too large or too deep', 'limit' in reply ? reply.limit : reply.fatal);
}

function limitError(message: string, detail: string): HoopError {
  return new HoopError('ERR_SQL_LIMIT', message, { hint: 'send it as several smaller statements', detail });
}

function checkText(text: string): HoopError | undefined {
  if (text.length > LIMITS.sqlTextBytes || Buffer.byteLength(text) > LIMITS.sqlTextBytes) {
    return limitError('the statement is too large or too deep', 'over sqlTextBytes');
  }
  // The parser stops at NUL, the server need not: refuse before either sees it.
  if (text.includes('\0')) {
    return new HoopError('ERR_SQL_SYNTAX', 'the SQL text holds a NUL character', {
      hint: 'remove the NUL character',
    });
  }
  // A lone surrogate has no UTF-8: the bytes analysed would not be the bytes sent.
  if (!text.isWellFormed()) return new HoopError('ERR_SQL_SYNTAX', 'the SQL text is not valid Unicode');
  return undefined;
}
