/**
 * The worker thread of the audit index: SQLite blocks the thread it runs on, so it runs on one of its own.
 *
 * Every question is answered after the index has caught up with what was appended before it. In between it reads on by
 * itself: at once while nothing is being appended, in small slices while the gateway is busy.
 */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { HoopError, toHoopError } from '../core/errors.ts';
import { IndexSearch } from './answers.ts';
import { KeyTokens } from './keys.ts';
import type { IndexAnswer, IndexRequest, IndexResponse, IndexWorkerData } from './messages.ts';
import { openIndex, rebuildIndex } from './schema.ts';
import { ChainChanged, IndexTail } from './tail.ts';

const IDLE_MS = 1000;
/** A slice of work beside a busy gateway, and one while it is quiet. */
const BUSY_SLICE_MS = 20;
const QUIET_SLICE_MS = 200;
/** How long a question may wait for the index to catch up. */
const CATCH_UP_MS = 15_000;

function start(port: MessagePort, { dir, file }: IndexWorkerData): void {
  const tokens = new KeyTokens();
  let db = openIndex(file);
  let tail = new IndexTail(dir, db, tokens);
  let behindBefore = 0;

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
    while (!advance(QUIET_SLICE_MS)) {
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
    return search.sessions(request.query, request.scope);
  };

  const background = (): void => {
    let delay = IDLE_MS;
    try {
      const behind = tail.behind();
      const quiet = behind <= behindBefore;
      const done = behind === 0 || advance(quiet ? QUIET_SLICE_MS : BUSY_SLICE_MS);
      behindBefore = behind === 0 ? 0 : tail.behind();
      if (quiet && !done) delay = 1;
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

function respond(call: number, answer: () => IndexAnswer): IndexResponse {
  try {
    return { call, answer: answer() };
  } catch (cause) {
    const { code, message, hint, detail } = toHoopError(cause);
    return { call, error: { code, message, ...(hint && { hint }), ...(detail && { detail }) } };
  }
}

if (parentPort !== null) start(parentPort, workerData as IndexWorkerData);
