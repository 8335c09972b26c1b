import type { Duplex } from 'node:stream';
import type { ApprovalItem } from '../../api/approvals.ts';
import type { OpenGateway } from '../../client/gateway.ts';
import { systemScheduler } from '../../client/scheduler.ts';
import { POLL_S } from '../approval/settled.ts';
import type { Io } from '../io.ts';

/** A stream that has been open so long may be waiting for people, ms; most are over by then. */
const PATIENCE_MS = 1_500;
/** What has no word for "wait" that its clients would show. */
const SPEECHLESS: ReadonlySet<string> = new Set(['http', 'kubernetes']);
/** What has one all the same, in the stream of its own. */
const TOLD = new Set(['k8s.exec', 'k8s.attach']);
/** Of a request's text that is told. */
const TEXT_CHARS = 120;

/**
 * Tells whoever started a tunnel that what they asked waits for people, where their client cannot: `curl` and `kubectl` are silent until there
 * is an answer, which looks like a target that hangs. The gateway is asked while a stream lasts, and not at all for those that are soon over.
 */
export class HeldNotices {
  readonly #io: Io;
  readonly #gateway: Pick<OpenGateway, 'api' | 'credential'>;
  readonly #told = new Set<string>();
  #open = 0;
  #watching = false;

  constructor(io: Io, gateway: Pick<OpenGateway, 'api' | 'credential'>) {
    this.#io = io;
    this.#gateway = gateway;
  }

  /** @param protocol Of the resource that the stream leads to. */
  opened(protocol: string, stream: Duplex): void {
    if (!SPEECHLESS.has(protocol)) return;
    this.#open++;
    const soonOver = systemScheduler.after(PATIENCE_MS, () => void this.#watch());
    stream.once('close', () => {
      soonOver();
      this.#open--;
    });
  }

  /** Never rejects: it is a remark, and whoever waits is answered in any case. */
  async #watch(): Promise<void> {
    if (this.#watching) return;
    this.#watching = true;
    let seen: string | undefined;
    try {
      while (this.#open > 0) {
        const since = seen === undefined ? {} : { wait: `${POLL_S}`, cursor: seen };
        const { approvals, cursor } = await this.#gateway.api.approvals({ status: 'pending', ...since });
        for (const item of approvals.toReversed()) this.#tell(item);
        seen = cursor;
      }
    } catch {
      // The next stream that lasts asks again.
    } finally {
      this.#watching = false;
    }
  }

  #tell(item: ApprovalItem): void {
    const { id, instance, protocol, actions } = item;
    if (instance !== this.#gateway.credential.facts.instance || !SPEECHLESS.has(protocol)) return;
    if (this.#told.has(id) || actions.some((action) => TOLD.has(action))) return;
    this.#told.add(id);
    this.#io.note(heldText(item));
  }
}

/** Pure. */
function heldText({ id, resource, text, needs, page }: ApprovalItem): string {
  const line = text.replace(/\s+/g, ' ').trim();
  const what = line.length > TEXT_CHARS ? `${line.slice(0, TEXT_CHARS)}…` : line;
  const names = needs.map(({ name }) => JSON.stringify(name)).join(' and ');
  const where = page === undefined ? '' : `, or ${page}`;
  return `${resource}: ${what} waits for the approval of ${names}: ${id}; to decide: hoopctl approval show ${id}${where}`;
}
