import { HoopError } from '../../../../core/errors.ts';
import { rescued } from '../../../../core/later.ts';
import { TextCache } from '../../../../core/text-cache.ts';
import { Turns } from '../../../../core/turns.ts';
import { POSTGRES_LIMITS } from '../../limits.ts';
import type { LiteralSpan, ParsedSql, StatementFacts } from '../facts/facts.ts';
import { RawTree } from '../facts/raw-tree.ts';
import { NEWEST_MAJOR, readsOtherwise } from './keywords.ts';
import { ParseLane } from './parse-lane.ts';
import type { ParseQuestion, ParseReply } from './parse-worker.ts';

export { maskLiterals } from './literals.ts';

export interface SqlParserOptions {
  /** Longest time one statement text may take, ms; default 2,000. */
  readonly watchdogMs?: number;
  /** Longest time the thread may take to start, ms; default 15,000. */
  readonly startMs?: number;
  /** Of the thread that asks. */
  readonly turns?: Turns;
}

type Answer = ParsedSql | HoopError;

/** A thread for texts of a like length: none waits for one that takes a hundred times as long. */
interface LaneSize {
  readonly chars: number;
  readonly ahead: number;
  readonly heapMb: number;
  /** Long texts wait for whatever else there is to do. */
  readonly niceness: number;
  /** What a text may take beside `watchdogMs`, ms: a busy machine parses 0.2 MB/s. */
  readonly moreMs: number;
  /** After so long without a text the thread ends, ms: it holds some 60 MB, the last one more. */
  readonly idleMs?: number;
}
const LANES: readonly LaneSize[] = [
  { chars: 2_048, ahead: 2, heapMb: 128, niceness: 0, moreMs: 0 },
  { chars: 64 * 1024, ahead: 1, heapMb: 128, niceness: 5, moreMs: 0, idleMs: 300_000 },
  {
    chars: POSTGRES_LIMITS.sqlTextBytes,
    ahead: 1,
    heapMb: 192,
    niceness: 10,
    moreMs: 20_000,
    idleMs: 10_000,
  },
];
const CACHED_CHARS = 8_192;
/** Not the one in which short statements are parsed. */
const LINES_LANE = 1;
const MAX_LINES_CHARS = 16 * 1024;

/**
 * Parses SQL text in threads of their own, so that no text can block, crash or confuse the gateway: one for short texts,
 * others for longer ones, started when there is one. Those who ask have equal shares of each.
 */
export class SqlParser {
  readonly #cache = new TextCache<Answer>({ entries: 2_000, chars: 6_000_000, textChars: CACHED_CHARS });
  readonly #lanes: readonly ParseLane[];
  readonly #turns: Turns;
  #closed = false;

  constructor(options: SqlParserOptions = {}) {
    const { watchdogMs = 2_000, startMs = 15_000, turns = new Turns() } = options;
    this.#turns = turns;
    this.#lanes = LANES.map(
      (size) => new ParseLane({ ...size, startMs, watchdogMs: watchdogMs + size.moreMs }),
    );
  }

  /**
   * Says what a SQL text asks for.
   *
   * @param text One text as sent by a client, 0 or more statements, at most `POSTGRES_LIMITS.sqlTextBytes` octets of UTF-8.
   * @param major Major version of the server that is to run it: the text is read as that version reads it.
   * @param asker Whoever asks: a session.
   * @returns Facts of each statement in order; none for an empty text. Shared between callers: read-only.
   * @throws {HoopError} `ERR_SYNTAX` not SQL, with PostgreSQL's message; `ERR_TOO_LARGE` too long, too deep, took
   *   too long, or broke the parser. Either way: forward nothing.
   */
  parse(text: string, major = NEWEST_MAJOR, asker: object = this): Promise<ParsedSql> {
    const refusal = this.#closed ? new HoopError('ERR_SESSION_ENDED') : checkText(text);
    if (refusal !== undefined) return Promise.reject(refusal);
    // No text that is parsed holds a NUL.
    const key = readsOtherwise(text, major) ? `${major}\0${text}` : text;
    const known = this.#cache.get(key);
    if (known instanceof HoopError) return Promise.reject(known);
    if (known !== undefined) return Promise.resolve(known);
    return this.#ask({ text, major }, key, asker);
  }

  async #ask(question: ParseQuestion, key: string, asker: object): Promise<ParsedSql> {
    const lane = this.#lanes[LANES.findIndex(({ chars }) => question.text.length <= chars)] as ParseLane;
    const answer = await this.#answer(await lane.parse(question, asker));
    this.#cache.set(key, answer, treesOf(answer));
    if (answer instanceof HoopError) throw answer;
    return answer;
  }

  /**
   * Breaks a text into lines for people, see `inLines`: nobody's statement waits for it.
   *
   * @returns undefined where that cannot be done: longer than 16 K characters, no SQL, or the threads are away.
   */
  async inLines(text: string, asker: object = this): Promise<string | undefined> {
    if (this.#closed || text.length > MAX_LINES_CHARS || checkText(text) !== undefined) return undefined;
    const question = { text, major: NEWEST_MAJOR, inLines: true } as const;
    const reply = await rescued(
      () => this.#lanes[LINES_LANE]!.parse(question, asker),
      () => undefined,
    );
    return reply !== undefined && 'lines' in reply ? reply.lines : undefined;
  }

  async #answer(reply: ParseReply): Promise<Answer> {
    if (!('parsed' in reply)) return errorOf(reply);
    const statements: StatementFacts[] = [];
    for (const [index, piece] of reply.parsed.entries()) {
      if (index > 0 && this.#turns.spent) await this.#turns.next();
      for (const facts of JSON.parse(piece) as StatementFacts[]) {
        const tree = reply.trees[statements.length] ?? undefined;
        statements.push(tree === undefined ? facts : Object.assign(facts, { tree: new RawTree(tree) }));
      }
    }
    return { statements, literals: JSON.parse(reply.literals) as LiteralSpan[] };
  }

  /** Ends the threads; whatever waits is rejected with `ERR_SESSION_ENDED`. Safe to call twice. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#lanes.map((lane) => lane.close()));
  }
}

function treesOf(answer: Answer): number {
  if (answer instanceof HoopError) return 0;
  return answer.statements.reduce((sum, { tree }) => sum + (tree?.size ?? 0), 0);
}

function errorOf(reply: Exclude<ParseReply, { readonly parsed: unknown }>): HoopError {
  if ('syntax' in reply) {
    return new HoopError('ERR_SYNTAX', reply.syntax, {
      hint: `the SQL is not valid near character ${reply.position + 1}; correct it and send it again`,
    });
  }
  if ('limit' in reply) return limitError('the statement is too large or too deep', reply.limit);
  const detail = 'fatal' in reply ? reply.fatal : 'an answer to another question';
  return limitError('the statement cannot be analysed', detail);
}

function limitError(message: string, detail: string): HoopError {
  return new HoopError('ERR_TOO_LARGE', message, { hint: 'send it as several smaller statements', detail });
}

function checkText(text: string): HoopError | undefined {
  if (text.length > POSTGRES_LIMITS.sqlTextBytes || Buffer.byteLength(text) > POSTGRES_LIMITS.sqlTextBytes) {
    return limitError('the statement is too large or too deep', 'over sqlTextBytes');
  }
  // The parser stops at NUL, the server need not: refuse before either sees it.
  if (text.includes('\0')) {
    return new HoopError('ERR_SYNTAX', 'the SQL text holds a NUL character', {
      hint: 'remove the NUL character',
    });
  }
  // A lone surrogate has no UTF-8: the bytes analysed would not be the bytes sent.
  if (!text.isWellFormed()) return new HoopError('ERR_SYNTAX', 'the SQL text is not valid Unicode');
  return undefined;
}
