/**
 * An agent that follows a script: it knows its task, several ways to do it, and one program. On a refusal it takes the step that
 * the refusal names. Nothing that a refusal says is ever run: it only chooses among the ways that the agent knows itself.
 */
import type { Ended } from '../kubernetes/kubectl.ts';
import { timePasses } from '../waiting.ts';
import type { Program, Told } from './programs.ts';

/** One way to do a task: what the program is given. */
export type Way =
  | readonly string[]
  /** The same, with what the agent knows of it. */
  | { readonly args: readonly string[]; readonly about: string }
  /** A way that can be gone in pieces. @param size Of one. @returns What the program is given for each. */
  | { readonly inPieces: (size: number) => readonly (readonly string[])[]; readonly from: number };

/** What the agent can say to people, and do beside its program. */
export interface People {
  /** Somebody is asked for a yes: told once for each request. */
  asked?(told: Told): Promise<void>;
  /** A login is needed. @returns What the program finds its way by now. */
  login?(told: Told): Promise<Readonly<Record<string, string>>>;
  /** Opens a new connection, where the program itself does not. @returns As `login`. */
  reconnect?(): Promise<Readonly<Record<string, string>>>;
}

/** How a task ended: with what the program printed, or with what the agent reports to whom it works for. */
export type Report =
  | { readonly done: true; readonly output: string }
  | { readonly done: false; readonly told: Told };

const PAUSE_MS = 250;
/** Sends of one thing. */
const MOST_TURNS = 20;

export class ScriptedAgent {
  /** Everything that it was told, in order. */
  readonly refusals: Told[] = [];
  /** Everything that programs printed, for what must never be in it. */
  printed = '';
  readonly #program: Program;
  readonly #people: People;
  readonly #asked = new Set<string>();
  #env: Readonly<Record<string, string>>;

  constructor(program: Program, env: Readonly<Record<string, string>>, people: People = {}) {
    this.#program = program;
    this.#env = env;
    this.#people = people;
  }

  /** @param ways In the order in which it would go them. @throws {Error} The program failed, and it was no refusal. */
  async work(...ways: readonly Way[]): Promise<Report> {
    const left = [...ways];
    let way = left.shift();
    while (way !== undefined) {
      const report = await this.#go(way);
      if (report.done) return report;
      const other = another(report.told, way, left);
      if (other === undefined) return report;
      left.splice(left.indexOf(other), 1);
      way = other;
    }
    throw new Error('it has no way to begin with');
  }

  /** One way to its end: what can be done about a refusal without another way is done. */
  async #go(way: Way): Promise<Report> {
    if ('args' in way) return this.#send(way.args);
    if (!('inPieces' in way)) return this.#send(way);
    let size = way.from;
    for (;;) {
      const report = await this.#all(way.inPieces(size));
      if (report.done || report.told.next !== 'less') return report;
      const smaller = Math.min(report.told.most ?? size >> 1, size - 1);
      if (smaller < 1) return report;
      size = smaller;
    }
  }

  async #all(pieces: readonly (readonly string[])[]): Promise<Report> {
    let output = '';
    for (const piece of pieces) {
      const report = await this.#send(piece);
      if (!report.done) return report;
      output += report.output;
    }
    return { done: true, output };
  }

  /** The same, for as long as the refusal says that the same may succeed. */
  async #send(args: readonly string[]): Promise<Report> {
    for (let turn = 0; ; turn++) {
      const ended = await this.#program.run(args, this.#env);
      this.printed += ended.stdout + ended.stderr;
      const told = this.#program.told(ended);
      if (told === undefined) return { done: true, output: outputOf(ended) };
      this.refusals.push(told);
      if (!told.retryable || turn >= MOST_TURNS || !(await this.#prepared(told)))
        return { done: false, told };
    }
  }

  /** Does what the same must wait for. @returns False: it cannot. */
  async #prepared(told: Told): Promise<boolean> {
    if (told.next === 'login') {
      if (this.#people.login === undefined) return false;
      this.#env = await this.#people.login(told);
    } else if (told.next === 'reconnect') {
      this.#env = (await this.#people.reconnect?.()) ?? this.#env;
    } else if (told.next === 'ask') {
      const request = told.approval ?? told.rule;
      if (!this.#asked.has(request)) await this.#people.asked?.(told);
      this.#asked.add(request);
    }
    await timePasses(PAUSE_MS, 'the same again at once would only be refused again');
    return true;
  }
}

/** The way that a refusal leaves; undefined: it reports. */
function another(told: Told, gone: Way, left: readonly Way[]): Way | undefined {
  switch (told.next) {
    case 'correct':
    case 'less':
      return left[0];
    case 'leave-out':
      return left.find((way) => !mentions(way, told.leaveOut ?? []));
    case 'instead':
      return named(told.hint ?? '', gone, left);
    default:
      return undefined;
  }
}

/** The way that has most of the hint's words which the one that was refused lacks; none: undefined. */
function named(hint: string, gone: Way, left: readonly Way[]): Way | undefined {
  const said = wordsOf(hint);
  const before = wordsOf(textOf(gone));
  const score = (way: Way) =>
    [...wordsOf(textOf(way))].filter((word) => said.has(word) && !before.has(word)).length;
  const [best] = [...left].sort((a, b) => score(b) - score(a));
  return best !== undefined && score(best) > 0 ? best : undefined;
}

/** @param names `public.customers.email`: what it is called last is enough. */
function mentions(way: Way, names: readonly string[]): boolean {
  const words = wordsOf(textOf(way));
  return names.some((name) => words.has(name.split('.').at(-1)!.toLowerCase()));
}

function textOf(way: Way): string {
  if ('args' in way) return `${way.about} ${way.args.join(' ')}`;
  return ('inPieces' in way ? (way.inPieces(1)[0] ?? []) : way).join(' ');
}

function wordsOf(text: string): ReadonlySet<string> {
  return new Set(text.toLowerCase().match(/[\p{L}\p{N}_]+/gu) ?? []);
}

function outputOf({ code, stdout, stderr }: Ended): string {
  if (code !== 0) throw new Error(`it failed with ${code}, and that is no refusal: ${stderr || stdout}`);
  return stdout;
}
