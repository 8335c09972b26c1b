import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { Ran, Session } from '../session.ts';
import { PsqlScanner } from './scanner.ts';
import { isTrue, wordsOf } from './words.ts';

/** Who a script runs for. */
export interface Host {
  /** What `\getenv` finds. */
  readonly environment: Readonly<Record<string, string>>;
  session(): Session;
  /** `\connect`: the old session stays where this throws. `-` and undefined: as before. */
  connect(database: string | undefined, user: string | undefined): Promise<void>;
  /** One statement, or several as one message; `input` is what it may copy in. */
  execute(sql: string, input: () => Buffer): Promise<Ran>;
  /** A statement that psql would only have described, or would give parameters. */
  describe(sql: string): Promise<void>;
}

type Command = (rest: string) => Promise<void> | void;

/** Part of a script is read and left alone: `taken` says whether an arm of the `\if` has been run. */
interface Condition {
  active: boolean;
  taken: boolean;
  readonly within: boolean;
}

/**
 * Runs a script as psql does, as far as it changes what is run: variables, conditions, results in variables, other files,
 * what is copied. What only shows something is passed over.
 *
 * @see https://www.postgresql.org/docs/current/app-psql.html
 */
export class Script {
  readonly #host: Host;
  readonly #folder: string;
  readonly #variables: Map<string, string>;
  readonly #scanner: PsqlScanner;
  readonly #conditions: Condition[] = [];
  #quit = false;

  /** @param folder Where the files are that it names without one. */
  constructor(host: Host, text: string, folder: string, variables: Map<string, string> = new Map()) {
    this.#host = host;
    this.#folder = folder;
    this.#variables = variables;
    this.#scanner = new PsqlScanner(text, variables);
  }

  async run(): Promise<void> {
    for (let piece = this.#scanner.next(); piece !== undefined && !this.#quit; piece = this.#scanner.next()) {
      if (piece.kind === 'sql') {
        if (this.#active) await this.#execute(piece.text);
      } else await this.#command(piece.name, piece.rest);
    }
  }

  get #active(): boolean {
    return this.#conditions.at(-1)?.active ?? true;
  }

  async #command(name: string, rest: string): Promise<void> {
    if (this.#branch(name, rest)) return;
    if (this.#active) await this.#commands[name]?.(rest);
  }

  /** `\if` and its like are read in what is passed over too. */
  #branch(name: string, rest: string): boolean {
    const [last] = this.#conditions.slice(-1);
    const holds = () => isTrue(this.#words(rest)[0] ?? '');
    if (name === 'if') {
      const [within, active] = [this.#active, this.#active && holds()];
      this.#conditions.push({ active, taken: active, within });
    } else if (name === 'elif' && last !== undefined) {
      last.active = last.within && !last.taken && holds();
      last.taken ||= last.active;
    } else if (name === 'else' && last !== undefined) {
      last.active = last.within && !last.taken;
    } else if (name === 'endif') this.#conditions.pop();
    else return false;
    return true;
  }

  readonly #commands: Readonly<Record<string, Command>> = {
    set: (rest) => {
      const [name, ...values] = this.#words(rest);
      if (name !== undefined) this.#variables.set(name, values.join(''));
    },
    unset: (rest) => void this.#variables.delete(this.#words(rest)[0] ?? ''),
    getenv: (rest) => {
      const [name = '', variable = ''] = this.#words(rest);
      const value = this.#host.environment[variable];
      if (value !== undefined) this.#variables.set(name, value);
    },
    g: () => this.#execute(this.#scanner.take()),
    gx: () => this.#execute(this.#scanner.take()),
    crosstabview: () => this.#execute(this.#scanner.take()),
    gdesc: () => this.#host.describe(this.#scanner.take()),
    bind: () => this.#host.describe(this.#scanner.take()),
    parse: () => this.#host.describe(this.#scanner.take()),
    gset: (rest) => this.#keep(this.#words(rest)[0] ?? ''),
    gexec: () => this.#executeResults(),
    r: () => void this.#scanner.take(),
    c: (rest) => this.#connect(rest),
    connect: (rest) => this.#connect(rest),
    copy: (rest) => this.#copy(rest),
    i: (rest) => this.#include(this.#words(rest)[0] ?? ''),
    ir: (rest) => this.#include(resolve(this.#folder, this.#words(rest)[0] ?? '')),
    q: () => this.#end(),
    quit: () => this.#end(),
  };

  #end(): void {
    this.#quit = true;
  }

  async #execute(sql: string): Promise<void> {
    if (sql !== '') await this.#run(sql, () => Buffer.from(this.#scanner.data()));
  }

  async #run(sql: string, input: () => Buffer): Promise<Ran> {
    const ran = await this.#host.execute(sql, input);
    const setting =
      /^\s*SET\s+(?:SESSION\s+|LOCAL\s+)?standard_conforming_strings\s*(?:=|TO)\s*'?(\w+)/i.exec(sql);
    if (setting !== null) this.#scanner.escapes = !isTrue(setting[1] ?? '');
    return ran;
  }

  async #keep(prefix: string): Promise<void> {
    const { columns, rows } = await this.#run(this.#scanner.take(), () => Buffer.alloc(0));
    if (rows.length !== 1) return;
    for (const [index, column] of columns.entries()) {
      const value = rows[0]?.[index] ?? null;
      if (value === null) this.#variables.delete(prefix + column);
      else this.#variables.set(prefix + column, value);
    }
  }

  async #executeResults(): Promise<void> {
    const { rows } = await this.#run(this.#scanner.take(), () => Buffer.alloc(0));
    for (const sql of rows.flat()) if (sql !== null) await this.#execute(sql);
  }

  async #connect(rest: string): Promise<void> {
    const [database, user] = this.#words(rest);
    await this.#host.connect(database, user).catch(() => undefined);
  }

  /** `\copy … from 'file'` is COPY from what the client sends. */
  async #copy(rest: string): Promise<void> {
    const found = /^(.*?\b(from|to)\s+)('[^']*'|\S+)(.*)$/is.exec(rest);
    if (found === null) return;
    const [, before = '', direction = '', where = '', after = ''] = found;
    const isFrom = direction.toLowerCase() === 'from';
    const file = where.replace(/^'|'$/g, '');
    if (!isFrom) return void (await this.#run(`COPY ${before} STDOUT ${after}`, () => Buffer.alloc(0)));
    const fromScript = /^p?stdin$/i.test(file);
    await this.#run(`COPY ${before} STDIN ${after}`, () =>
      fromScript ? Buffer.from(this.#scanner.data()) : readFileSync(file),
    );
  }

  async #include(file: string): Promise<void> {
    await new Script(this.#host, readFileSync(file, 'utf8'), dirname(file), this.#variables).run();
  }

  #words(rest: string): string[] {
    return wordsOf(rest, this.#variables);
  }
}
