/** Sessions of the Model Context Protocol within one of ours, at most: the one that was not used longest is forgotten. */
const MAX_SESSIONS = 64;
/** Ids that one of them knows, at most, either way. */
const MAX_IDS = 1024;
/** What was asked under one id, at most: more is as good as anything. */
const MAX_OF_ONE = 4;

/** A request of the client's, as far as its answer needs it. */
export interface Sent {
  readonly method: string;
  /** By what the members of its result are classified, see `Asked`. */
  readonly result: string | undefined;
}

const ANYTHING: Sent = { method: '', result: undefined };

/** What goes back and forth in one session of the Model Context Protocol, as far as answers need it. */
export class McpSession {
  readonly #named: boolean;
  /** What was ever sent under an id: an answer may come on another stream than the one that asked, and come again. */
  readonly #sent = new Map<string, readonly Sent[]>();
  /** Methods of what the server asked, by its own ids. */
  readonly #questions = new Map<string, readonly string[]>();
  #forgot = false;

  /** @param named Without a name nothing is answered on another stream: what was answered is forgotten. */
  constructor(named: boolean) {
    this.#named = named;
  }

  sent(id: string, sent: Sent): void {
    const known = this.#sent.get(id) ?? [];
    if (this.#named && known.some((one) => isAlike(one, sent))) return;
    if (known.length === 0 && makesRoom(this.#sent, MAX_IDS)) this.#forgot = true;
    this.#sent.set(id, this.#named && known.length === MAX_OF_ONE ? [ANYTHING] : [...known, sent]);
  }

  /** Its stream has ended. */
  over(id: string, sent: Sent): void {
    if (this.#named) return;
    const others = this.under(id, false).filter((one) => one !== sent);
    if (others.length > 0) this.#sent.set(id, others);
    else this.#sent.delete(id);
  }

  /**
   * All that an answer with this id may answer; empty: nobody knows.
   *
   * @param again What was given before may be given once more.
   */
  under(id: string, again: boolean): readonly Sent[] {
    return again && (this.#forgot || !this.#named) ? [] : (this.#sent.get(id) ?? []);
  }

  questioned(id: string, methods: readonly string[]): void {
    makesRoom(this.#questions, MAX_IDS);
    this.#questions.set(id, [...new Set([...this.questions(id), ...methods])]);
  }

  /** What the server asked under this id; empty: nothing that was shown, or that is not answered already. */
  questions(id: string): readonly string[] {
    return this.#questions.get(id) ?? [];
  }

  /** The client answers: once. */
  replied(id: string): void {
    this.#questions.delete(id);
  }
}

/**
 * Sessions of the Model Context Protocol that were opened within one session of the gateway: by one principal, at one
 * resource. An id that was given to somebody else, or on another route, is none of them.
 */
export class McpSessions {
  readonly #known = new Map<string, McpSession>();
  /** Of requests that name no session, by route. */
  readonly #without = new Map<string, McpSession>();

  /** @returns Undefined: no such session was opened here. */
  get(route: string, id: string | undefined): McpSession | undefined {
    if (id === undefined) return this.#without.get(route) ?? this.#first(route);
    const key = keyOf(route, id);
    const known = this.#known.get(key);
    if (known === undefined) return undefined;
    this.#known.delete(key);
    this.#known.set(key, known);
    return known;
  }

  #first(route: string): McpSession {
    const session = new McpSession(false);
    makesRoom(this.#without, MAX_SESSIONS);
    this.#without.set(route, session);
    return session;
  }

  /** The server has opened a session for what was sent without one. */
  open(route: string, id: string): McpSession {
    const session = new McpSession(true);
    makesRoom(this.#known, MAX_SESSIONS);
    this.#known.set(keyOf(route, id), session);
    return session;
  }

  end(route: string, id: string): void {
    this.#known.delete(keyOf(route, id));
  }
}

function keyOf(route: string, id: string): string {
  return JSON.stringify([route, id]);
}

function isAlike(one: Sent, other: Sent): boolean {
  return one.method === other.method && one.result === other.result;
}

/** @returns Whether the oldest is forgotten, to make room for one more. */
function makesRoom<T>(map: Map<string, T>, most: number): boolean {
  const [oldest] = map.size >= most ? map.keys() : [];
  return oldest !== undefined && map.delete(oldest);
}
