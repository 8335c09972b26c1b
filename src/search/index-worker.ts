/**
 * The worker thread of the audit index: SQLite blocks the thread it runs on, so it runs on one of its own.
 *
 * Every question is answered after the index has caught up with what was appended before it. In between it reads on by
 * itself, as `Pace` has it.
 */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { HoopError, toHoopError } from '../core/errors.ts';
import { IndexSearch } from './answers.ts';
import { KeyTokens } from './keys.ts';
import type { IndexAnswer, IndexRequest, IndexResponse, IndexWorkerData } from './messages.ts';
import { Pace } from './pace.ts';
import { openIndex, rebuildIndex } from './schema.ts';
import { ChainChanged, IndexTail } from './tail.ts';

const IDLE_MS = 1000;
/** Between two looks at the time while a question waits. */
const CATCH_UP_SLICE_MS = 200;
/** How long a question may wait for the index to catch up. */
const CATCH_UP_MS = 15_000;

function start(port: MessagePort, { dir, file }: IndexWorkerData): void {
  const tokens = new KeyTokens();
  let db = openIndex(file);
  let tail = new IndexTail(dir, db, tokens);

  const advance = (ms: number): boolean => {
    try {
      return tail.advance(ms);
    } catch (error) {
      if (!(error instanceof ChainChanged)) throw error;
      db.close();
      db = rebuildIndex(file);
      tail = new IndexTail(dir, db, tokens);
      return false;
    }
  };

  const catchUp = (): void => {
    const end = performance.now() + CATCH_UP_MS;
    while (!advance(CATCH_UP_SLICE_MS)) {
      if (performance.now() < end) continue;
      const hint = 'ask again in a minute; nothing is lost';
      throw new HoopError('ERR_LIMIT', 'the audit index is still reading what was appended', { hint });
    }
  };

  const answer = (request: IndexRequest): IndexAnswer => {
    catchUp();
    const search = new IndexSearch(db, tail, tokens);
    if (request.kind === 'search') return search.search(request.query, request.scope);
    if (request.kind === 'event') return search.event(request.id, request.scope);
    if (request.kind === 'sessions') return search.sessions.page(request.query, request.scope);
    if (request.kind === 'session') return search.sessions.one(request.id, request.scope);
    return search.sessions.places();
  };

  const pace = new Pace();
  const background = (): void => {
    let delay = IDLE_MS;
    try {
      const seen = { behind: tail.behind(), othersMs: othersMs(), at: performance.now() };
      const done = seen.behind === 0 || advance(pace.slice(seen));
      delay = pace.rest(seen, done ? 0 : tail.behind());
    } catch {
      // The disk, most likely. The next question meets it again and is told.
    }
    setTimeout(background, delay);
  };

  port.on('message', (request: IndexRequest) => {
    port.postMessage(respond(request.call, () => answer(request)));
  });
  background();
}

/** CPU time of all other threads, ms since the process began. */
function othersMs(): number {
  const [all, own] = [process.cpuUsage(), process.threadCpuUsage()];
  return (all.user + all.system - own.user - own.system) / 1000;
}

function respond(call: number, answer: () => IndexAnswer): IndexResponse {
  try {
    return { call, answer: answer() };
  } catch (cause) {
    const { code, message, hint, detail } = toHoopError(cause);
    return { call, error: { code, message, ...(hint && { hint }), ...(detail && { detail }) } };
  }
}

if (parentPort !== null) start(parentPort, workerData as IndexWorkerData);
