import { connect, type Socket } from 'node:net';
import { type BackendMessage, decodeBackend } from '../../src/wire/postgres/backend.ts';
import { CopyData } from '../../src/wire/postgres/copy.ts';
import { Describe, Parse } from '../../src/wire/postgres/extended.ts';
import { Framer } from '../../src/wire/postgres/framer.ts';
import { encodeFrontend } from '../../src/wire/postgres/frontend.ts';
import { Query } from '../../src/wire/postgres/query.ts';
import { encodeStartup, PROTOCOL_3_0 } from '../../src/wire/postgres/startup.ts';

/** What the server makes of a statement: its analysed tree as it prints it, or why it does not accept it. */
export type Analysed =
  | { readonly tree: string; readonly parameters: readonly number[] }
  | { readonly error: string };

export interface Ran {
  /** Of the last answer with rows. */
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | null)[])[];
  readonly tags: readonly string[];
  /** Of the statement that failed; the ones before it have run. */
  readonly error?: string;
}

type Message<Name extends BackendMessage['name']> = Extract<BackendMessage, { name: Name }>;

const NOTHING = Buffer.alloc(0);
const sync = encodeFrontend({ name: 'Sync' });
const copyDone = encodeFrontend({ name: 'CopyDone' });
const describe = Describe.encode({ kind: 'S', target: '' });
const query = (sql: string) => Query.encode({ sql });
/** Set around each Parse: whatever else is run prints nothing. In a transaction that has failed nothing can be set. */
const PRINTING = query(
  'SET client_min_messages = log; SET debug_pretty_print = off; SET debug_print_parse = on',
);
const AS_BEFORE = (level: string) => query(`SET debug_print_parse = off; SET client_min_messages = ${level}`);

export interface SessionOptions {
  /** Folder of the server's socket, where everyone is let in. */
  readonly socket: string;
  readonly port: number;
  readonly user: string;
  readonly database: string;
  readonly options?: string;
}

/** One connection of bare messages to a server: a driver would not show what is said at Parse. */
export class Session {
  readonly #socket: Socket;
  readonly #framer = new Framer('backend');
  #wake: () => void = () => undefined;
  #closed = false;
  #level = 'notice';
  /** As ReadyForQuery says it: `I` idle, `T` in a transaction, `E` in one that has failed. */
  status = 'I';

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.#framer.push(chunk);
      this.#wake();
    });
    const close = () => {
      this.#closed = true;
      this.#wake();
    };
    socket.on('error', close);
    socket.on('close', close);
  }

  static async open(to: SessionOptions): Promise<Session> {
    const socket = connect(`${to.socket}/.s.PGSQL.${to.port}`);
    const session = new Session(socket);
    const parameters = new Map([
      ['user', to.user],
      ['database', to.database],
      ['client_encoding', 'UTF8'],
      ...(to.options === undefined ? [] : [['options', to.options] as const]),
    ]);
    socket.write(
      encodeStartup({
        name: 'StartupMessage',
        version: PROTOCOL_3_0,
        parameters,
        protocolOptions: new Map(),
      }),
    );
    const messages = await session.#untilReady('login');
    const error = errorOf(messages);
    if (error !== undefined) throw new Error(error);
    return session;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Has the server analyse a statement, which is not run. */
  async analyse(sql: string): Promise<Analysed> {
    const parse = Parse.encode({ statement: '', sql, parameterTypes: [] });
    this.#socket.write(Buffer.concat([PRINTING, parse, describe, sync, AS_BEFORE(this.#level)]));
    await this.#untilReady(sql);
    const said = await this.#untilReady(sql);
    await this.#untilReady(sql);
    const error = errorOf(said);
    if (error !== undefined) return { error };
    const tree = said.filter(isNotice).find((notice) => field(notice, 'M') === 'parse tree:');
    const types15 = said.find(
      (one): one is Message<'ParameterDescription'> => one.name === 'ParameterDescription',
    );
    if (tree === undefined) return { error: 'no tree was printed' };
    return { tree: field(tree, 'D'), parameters: types15?.typeOids ?? [] };
  }

  /**
   * Runs statements as one message; what is copied in comes from `input`, asked for once the server wants it.
   *
   * @throws {Error} The connection is gone.
   */
  async run(sql: string, input: () => Buffer = () => NOTHING): Promise<Ran> {
    this.#socket.write(query(sql));
    const ran = await this.#ran(sql, input);
    this.#remember(sql);
    return ran;
  }

  /** Asks several questions at once, each a message of its own. */
  async ask(questions: readonly string[]): Promise<Ran[]> {
    this.#socket.write(Buffer.concat(questions.map(query)));
    const answers: Ran[] = [];
    for (const sql of questions) answers.push(await this.#ran(sql, () => NOTHING));
    return answers;
  }

  async #ran(sql: string, input: () => Buffer): Promise<Ran> {
    const rows: (string | null)[][] = [];
    const tags: string[] = [];
    let columns: string[] = [];
    let error: string | undefined;
    for (;;) {
      const message = await this.#next();
      if (message === undefined) throw new Error(`the server closed the connection at: ${sql}`);
      if (message.name === 'DataRow') rows.push(message.values.map((value) => value?.toString() ?? null));
      if (message.name === 'RowDescription') columns = message.columns.map(({ name }) => name.toString());
      if (message.name === 'CommandComplete') tags.push(message.tag);
      if (message.name === 'ErrorResponse') error = field(message, 'M');
      if (message.name === 'CopyInResponse') {
        const data = input();
        if (data.length > 0) this.#socket.write(CopyData.encode({ data }));
        this.#socket.write(copyDone);
      }
      if (message.name === 'ReadyForQuery') break;
    }
    return { columns, rows, tags, ...(error === undefined ? {} : { error }) };
  }

  close(): void {
    this.#socket.destroy();
  }

  /** What the session's own level of messages is: it is put back behind each Parse. */
  #remember(sql: string): void {
    const set = /\bSET\s+(?:SESSION\s+|LOCAL\s+)?client_min_messages\s*(?:=|TO)\s*'?(\w+)/i.exec(sql);
    if (set !== null) this.#level = (set[1] ?? '').toLowerCase();
    if (/\bRESET\s+(client_min_messages|ALL)\b/i.test(sql)) this.#level = 'notice';
  }

  async #untilReady(what: string): Promise<BackendMessage[]> {
    const messages: BackendMessage[] = [];
    for (;;) {
      const message = await this.#next();
      if (message === undefined)
        throw new Error(errorOf(messages) ?? `the server closed the connection at: ${what}`);
      messages.push(message);
      if (message.name === 'ReadyForQuery') return messages;
    }
  }

  async #next(): Promise<BackendMessage | undefined> {
    for (;;) {
      const frame = this.#framer.next();
      if (frame !== undefined) {
        const message = decodeBackend(frame.type, frame.body);
        if (message.name === 'ReadyForQuery') this.status = message.status;
        return message;
      }
      if (this.#closed) return undefined;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}

function isNotice(message: BackendMessage): message is Message<'NoticeResponse'> {
  return message.name === 'NoticeResponse';
}

function errorOf(messages: readonly BackendMessage[]): string | undefined {
  const error = messages.find((one): one is Message<'ErrorResponse'> => one.name === 'ErrorResponse');
  return error === undefined ? undefined : field(error, 'M');
}

function field(message: Message<'NoticeResponse' | 'ErrorResponse'>, code: string): string {
  return message.fields.find(([one]) => one === code)?.[1]?.toString() ?? '';
}
