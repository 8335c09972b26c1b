import { HoopError } from '../../../core/errors.ts';
import type { Denial } from '../../../enforcement/operation.ts';
import type { OpenOperation } from '../../stream/operations.ts';
import type { Planned } from '../reading/planner.ts';
import type { Portal } from '../reading/portal.ts';
import type { Staged } from '../reading/prepared.ts';
import type { RowPlan } from '../shown/rows.ts';
import type { Said } from '../shown/scrub.ts';
import type { StatementPlan } from '../sql/meaning/plan.ts';

/** A question of our own; its answers are not the client's. */
export interface OwnQuestion {
  readonly kind: 'own';
  /** In a message cycle of its own, which ends with a ReadyForQuery. */
  readonly synced: boolean;
  /** Takes a row of the answer. */
  readonly row: (values: readonly (string | null)[]) => void;
  /** Its cycle is over, and no transaction is open. */
  readonly rested: () => void;
  /** All rows have come. */
  complete: boolean;
  closed: number;
  failed: boolean;
}

/** What is known of a simple query whose rows are counted. */
export interface Counted {
  /** The server has done it or failed: it waits for our Sync. */
  settled: boolean;
  /** CommandComplete, which the client gets once it is committed. */
  tag: Buffer | undefined;
  /** The server's statement and portal without a name are not the client's any more. */
  readonly unnamed: readonly Staged[];
}

/** What the server is still to answer, one entry for each message that has an answer, in order. */
export type Expected =
  | OwnQuestion
  | {
      readonly kind: 'query';
      readonly planned: Planned | undefined;
      /** It is a function call, answered with a value instead of rows. */
      readonly call: boolean;
      readonly operation: OpenOperation | undefined;
      denial: Denial | undefined;
      /** The string itself, while its names may have to be looked for. */
      readonly text: string;
      /** It was sent in the extended protocol, so that its rows can be counted before it is committed. */
      readonly counted?: Counted;
      /** Per statement: names it gives or takes, confirmed as each completes. */
      readonly staged: readonly (Staged | undefined)[];
      /** How many statements of the string have completed. */
      completed: number;
      rows: RowPlan | undefined;
      failed: boolean;
    }
  | {
      readonly kind: 'parse';
      readonly staged: Staged;
      readonly operation: OpenOperation;
      /** The operation is the Parse alone; otherwise it is its Bind's, and goes on. */
      readonly ownEvent: boolean;
      readonly text: string;
      readonly planned: Planned;
    }
  | {
      readonly kind: 'denied';
      readonly denial: Denial;
      /** The unnamed statement, where it goes with the refusal. */
      readonly dropped: Staged | undefined;
    }
  | { readonly kind: 'bind'; readonly staged: Staged; readonly portal: Portal }
  | { readonly kind: 'describe-statement' }
  | { readonly kind: 'describe-portal'; readonly portal: Portal; readonly visible: boolean }
  | {
      readonly kind: 'execute';
      readonly portal: Portal;
      readonly operation: OpenOperation;
      /** Names that this statement itself gives or takes (`PREPARE`, `DECLARE`, … sent by the extended protocol). */
      readonly staged: Staged | undefined;
    }
  | { readonly kind: 'close'; readonly staged: Staged }
  | { readonly kind: 'sync' };

/** The target sent what nothing that is outstanding asks for. */
export function unexpected(type: number): HoopError {
  return new HoopError('ERR_PROTOCOL', 'the target sent a message that nothing asked for', {
    detail: `type 0x${type.toString(16)}`,
  });
}

/** The server is done with it, whichever way. */
export function settle(counted: Counted): void {
  counted.settled = true;
  for (const staged of counted.unnamed) staged.commit();
}

/** Whether a simple query is answered in the extended protocol's messages, which its client knows nothing of. */
export function sentExtended(head: Expected | undefined): boolean {
  return head?.kind === 'query' && head.counted !== undefined && !head.failed;
}

/** Why it was refused, where a fixed failing statement went to the server in its place, or it was cancelled there for it. */
export function denialOf(head: Expected | undefined): Denial | undefined {
  const denial = head?.kind === 'query' || head?.kind === 'denied' ? head.denial : undefined;
  return denial ?? runningOf(head)?.refused;
}

/** How the rows that come next are shown, where they are described. */
export function rowsOf(head: Expected | undefined): RowPlan | undefined {
  if (head?.kind === 'query') return head.rows;
  return head?.kind === 'execute' ? head.portal.rows : undefined;
}

/** The operation that runs at the server, where one does. */
export function runningOf(head: Expected | undefined): OpenOperation | undefined {
  return head?.kind === 'query' || head?.kind === 'execute' ? head.operation : undefined;
}

/** What is on record of it. */
function operationOf(entry: Expected): OpenOperation | undefined {
  if (entry.kind === 'bind') return entry.portal.operation;
  return entry.kind === 'query' || entry.kind === 'execute' || entry.kind === 'parse'
    ? entry.operation
    : undefined;
}

/**
 * The queue of outstanding answers. Mirrors the server's own rule: after an error in the extended protocol everything
 * is skipped up to the next Sync.
 *
 * @see https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-EXT-QUERY
 */
export class Pipeline {
  #entries: Expected[] = [];
  #head = 0;
  #executed: Expected | undefined;
  /** The server skips messages until a Sync that the client has not sent yet. */
  skipping = false;
  /** Messages of the extended protocol were sent, and no Sync behind them. */
  batchOpen = false;

  get depth(): number {
    return this.#entries.length - this.#head;
  }

  get head(): Expected | undefined {
    return this.#entries[this.#head];
  }

  get last(): Expected | undefined {
    return this.#entries.at(-1);
  }

  /** Whether an entry is no longer waited for. */
  answered(entry: Expected | undefined): boolean {
    return entry === undefined || this.#entries.indexOf(entry, this.#head) === -1;
  }

  /** Whether a message is outstanding whose answer ends with ReadyForQuery: it may end a transaction. */
  get hasCycles(): boolean {
    return this.#outstanding().some(({ kind }) => kind === 'sync' || kind === 'query');
  }

  /** What statements do that the server may not have read yet. */
  get plans(): readonly StatementPlan[] {
    return this.depth === 0 ? [] : this.#outstanding().flatMap(plansOf);
  }

  #outstanding(): Expected[] {
    return this.#entries.slice(this.#head);
  }

  push(entry: Expected): void {
    this.#entries.push(entry);
    const ends = entry.kind === 'sync' || entry.kind === 'query' || (entry.kind === 'own' && entry.synced);
    this.batchOpen = !ends;
  }

  /** What the client has said, of which the target's next report speaks: behind a Sync, what was executed before it. */
  get said(): Said | undefined {
    return saidOf(this.head?.kind === 'sync' ? this.#executed : this.head);
  }

  shift(): void {
    const { head } = this;
    if (head?.kind === 'execute') this.#executed = head;
    else if (head?.kind === 'sync') this.#executed = undefined;
    this.#head++;
    if (this.#head < 1024 && this.#head < this.#entries.length) return;
    this.#entries = this.#entries.slice(this.#head);
    this.#head = 0;
  }

  /** The server's error is the head's answer: what that gave, took and ran is settled, and what the server skips. */
  fail(sqlstate: string): void {
    const { head } = this;
    if (head === undefined || head.kind === 'sync') return;
    if (head.kind === 'query') {
      head.failed = true;
      if (head.counted !== undefined) settle(head.counted);
      head.operation?.close('failure', sqlstate);
      for (const staged of head.staged.slice(head.completed)) staged?.discard();
      return;
    }
    if (head.kind === 'denied') head.dropped?.commit();
    for (const dropped of this.#skipToSync()) {
      if (dropped.kind === 'query')
        for (const staged of [...dropped.staged, ...(dropped.counted?.unnamed ?? [])]) staged?.discard();
      else if ('staged' in dropped) dropped.staged?.discard();
      if (dropped.kind === 'describe-portal') dropped.portal.describing = false;
      operationOf(dropped)?.close('failure', dropped === head ? sqlstate : undefined);
    }
  }

  /** After an error at the head: drops what the server skips. @returns The dropped entries, oldest first. */
  #skipToSync(): Expected[] {
    const dropped: Expected[] = [];
    while (this.head !== undefined && this.head.kind !== 'sync') {
      dropped.push(this.head);
      this.shift();
    }
    // A Sync that waits belongs to this batch; if a later batch is skipped already, it stays so.
    if (this.head === undefined) this.skipping = true;
    return dropped;
  }
}

function plansOf(entry: Expected): readonly StatementPlan[] {
  if (entry.kind === 'query') {
    const { planned, completed } = entry;
    return planned?.unread === true ? planned.plans : (planned?.plans.slice(completed) ?? []);
  }
  return entry.kind === 'bind' || entry.kind === 'execute' ? [entry.portal.plan] : [];
}

function saidOf(head: Expected | undefined): Said | undefined {
  switch (head?.kind) {
    case 'query':
    case 'parse':
      return head.planned === undefined ? undefined : said(head.text, head.planned);
    case 'bind':
    case 'execute':
    case 'describe-portal':
      return said(head.portal.text, head.portal.planned);
    default:
      return undefined;
  }
}

function said(text: string, { pairs, plans, writtenAnew }: Planned): Said {
  return { text: writtenAnew?.own ?? text, pairs, ddl: plans.some(({ ddl }) => ddl), writtenAnew };
}
