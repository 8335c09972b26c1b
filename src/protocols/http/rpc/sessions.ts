import type { Asked } from './asked.ts';

/** Sessions of the Model Context Protocol within one of ours, at most: the oldest is forgotten. */
const MAX_SESSIONS = 256;
/** What one of them is asked and was not answered, at most, either way. */
const MAX_OPEN = 1024;

/** What goes back and forth in one session of the Model Context Protocol, as far as answers need it. */
export class McpSession {
  /** Requests of the client's by their id: an answer may come on another stream than the one that asked. */
  readonly #asked = new Map<string, Set<Asked>>();
  /** Methods of what the server asked, by its own ids. */
  readonly #questions = new Map<string, Set<string>>();

  opened(id: string, asked: Asked): void {
    add(this.#asked, id, asked);
  }

  /** All that an answer with this id may answer. */
  of(id: string): readonly Asked[] {
    return [...(this.#asked.get(id) ?? [])];
  }

  answered(id: string, asked: Asked): void {
    remove(this.#asked, id, asked);
  }

  questioned(id: string, method: string): void {
    add(this.#questions, id, method);
  }

  /** What the server asked under this id; empty: nothing that was shown. */
  questions(id: string): readonly string[] {
    return [...(this.#questions.get(id) ?? [])];
  }

  /** The client has answered: once. */
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
    if (id !== undefined) return this.#known.get(keyOf(route, id));
    const known = this.#without.get(route);
    if (known !== undefined) return known;
    const made = new McpSession();
    bounded(this.#without, MAX_SESSIONS).set(route, made);
    return made;
  }

  /** The server has opened a session for what was asked without one. */
  open(route: string, id: string, asked: readonly Asked[]): void {
    const session = new McpSession();
    for (const one of asked) if (one.message.id !== undefined) session.opened(one.message.id, one);
    bounded(this.#known, MAX_SESSIONS).set(keyOf(route, id), session);
  }

  end(route: string, id: string): void {
    this.#known.delete(keyOf(route, id));
  }
}

function keyOf(route: string, id: string): string {
  return JSON.stringify([route, id]);
}

function add<T>(map: Map<string, Set<T>>, key: string, value: T): void {
  const known = map.get(key);
  if (known !== undefined) known.add(value);
  else bounded(map, MAX_OPEN).set(key, new Set([value]));
}

function remove<T>(map: Map<string, Set<T>>, key: string, value: T): void {
  const known = map.get(key);
  known?.delete(value);
  if (known?.size === 0) map.delete(key);
}

/** Makes room for one more. */
function bounded<T>(map: Map<string, T>, most: number): Map<string, T> {
  const oldest = map.keys().next();
  if (map.size >= most && oldest.done !== true) map.delete(oldest.value);
  return map;
}
