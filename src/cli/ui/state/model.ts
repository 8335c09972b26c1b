/** The state of the terminal UI, what happens to it, and what it wants done. Types and first values only. */
import type { ApprovalItem } from '../../../api/approvals.ts';
import type {
  AuditEventItem,
  AuditQuery,
  MayItem,
  ResourceItem,
  SessionItem,
} from '../../../api/contract.ts';
import type { Charset } from '../../../core/terminal/charset.ts';
import type { MouseReport } from '../terminal/mouse.ts';
import { EMPTY, type List } from './list.ts';

export const SCREENS = ['resources', 'feed', 'approvals', 'sessions'] as const;
export type ScreenName = (typeof SCREENS)[number];

export interface Items {
  readonly resources: ResourceItem;
  readonly feed: AuditEventItem;
  readonly approvals: ApprovalItem;
  readonly sessions: SessionItem;
}
type Lists = { readonly [K in ScreenName]: List<Items[K]> };

/** What went wrong, in the words that a command would say. */
export interface Failure {
  readonly code: string;
  readonly message: string;
  readonly hint?: string | undefined;
}

/** Whether what a screen shows is known, and when it is asked for again. */
export interface Load {
  /** Grows with every question: an answer to an older one is left. */
  readonly asked: number;
  readonly waits: boolean;
  /** When it was asked last, ms. */
  readonly askedMs: number;
  /** Not before, ms. */
  readonly dueMs: number;
  /** When it was last heard, ms; undefined: never. */
  readonly heardMs?: number | undefined;
  readonly failure?: Failure | undefined;
  readonly failures: number;
  /** Where the next page begins. */
  readonly next?: string | undefined;
}

/** What holds between us and the gateway. */
type Connection =
  | { readonly kind: 'connecting'; readonly tries?: number }
  | { readonly kind: 'online' }
  /** It is tried again at `retryMs`. What was loaded stays. */
  | { readonly kind: 'offline'; readonly failure: Failure; readonly retryMs: number; readonly tries: number }
  | { readonly kind: 'logged-out'; readonly failure: Failure }
  | { readonly kind: 'failed'; readonly failure: Failure }
  | { readonly kind: 'login'; readonly code?: LoginCode; readonly note?: string };

export interface LoginCode {
  readonly uri: string;
  readonly userCode: string;
  readonly expiresAt: number;
  /** `uri` as a QR code, a line for each row of its modules; undefined: there is none, or no colours to draw it in. */
  readonly qr?: readonly string[] | undefined;
  /** For whom the login is, in words. */
  readonly as: string;
}

export interface Me {
  readonly gateway: string;
  readonly name: string;
  /** As whom tunnels are opened, where that is another. */
  readonly tunnelsAs?: string | undefined;
  /** RFC 3339. */
  readonly deadline: string;
}

/** A tunnel of ours, by its resource's name. */
export type TunnelState =
  | { readonly kind: 'opening' }
  | { readonly kind: 'waiting'; readonly approval: string; readonly needs: string }
  | {
      readonly kind: 'open';
      readonly where: string;
      readonly url: string;
      /** What a person types next, a line each. */
      readonly steps: readonly string[];
      readonly deadline: string;
      /** The last connection that was refused over it. */
      readonly refused?: Failure | undefined;
    }
  | { readonly kind: 'failed'; readonly failure: Failure };

/** What may be done at a resource, as far as it is known. */
export interface May {
  /** When it was asked last, ms. */
  readonly askedMs: number;
  readonly waits: boolean;
  /** Undefined: not heard yet, or the gateway does not say. */
  readonly items?: readonly MayItem[] | undefined;
  readonly failure?: Failure | undefined;
}

type Input = {
  readonly kind: 'filter' | 'command' | 'reason';
  readonly text: string;
};

/** What lies over a screen and takes its keys. */
export type Overlay =
  | { readonly kind: 'help'; readonly top: number }
  | { readonly kind: 'details'; readonly top: number }
  | { readonly kind: 'quit' }
  | {
      readonly kind: 'decide';
      readonly word: 'approve' | 'deny';
      readonly id: string;
      /** As the gateway shows it to those who may decide; undefined: it is being fetched. */
      readonly item?: ApprovalItem;
      readonly reason: string;
      readonly top: number;
      /** Sent, and not answered yet. */
      readonly sent: boolean;
      readonly failure?: Failure | undefined;
    }
  | Transcript;

/** What a session showed, as text. */
export interface Transcript {
  readonly kind: 'transcript';
  readonly session: SessionItem;
  readonly lines: readonly string[];
  /** Requests and refusals, ms since the session's start. */
  readonly asked: readonly number[];
  readonly refused: readonly number[];
  /** `live`: the session goes on, and what comes is added. */
  readonly status: 'loading' | 'live' | 'whole' | 'cut' | 'failed';
  readonly failure?: Failure;
  readonly top: number;
}

export interface Notice {
  readonly text: string;
  readonly tone: 'good' | 'bad' | 'plain';
  readonly untilMs: number;
}

export interface Size {
  readonly columns: number;
  readonly rows: number;
}

export interface UiState {
  readonly size: Size;
  /** What the terminal shows. */
  readonly charset: Charset;
  readonly nowMs: number;
  readonly screen: ScreenName;
  readonly connection: Connection;
  readonly me?: Me | undefined;
  /** Whether requests for approval may be decided here: not before somebody says so. */
  readonly decides: boolean;
  readonly lists: Lists;
  readonly filters: Readonly<Record<ScreenName, string>>;
  readonly loads: Readonly<Record<ScreenName, Load>>;
  /** The filter that the items of the feed are an answer to. */
  readonly feedFilter: string;
  /** The feed stands still. */
  readonly paused: boolean;
  /** Requests that are decided are listed as well. */
  readonly settledToo: boolean;
  readonly approvalsCursor?: string | undefined;
  readonly tunnels: ReadonlyMap<string, TunnelState>;
  /** What may be done at resources that were looked at, by their names. */
  readonly mays: ReadonlyMap<string, May>;
  /** Exactly what was asked, of requests that were looked at. */
  readonly looked: ReadonlyMap<string, ApprovalItem>;
  readonly input?: Input | undefined;
  readonly overlay?: Overlay | undefined;
  readonly notice?: Notice | undefined;
  /** The mouse's wheel and clicks are ours, and not the terminal's. */
  readonly mouse: boolean;
  /** When a key was last pressed, ms. */
  readonly touchedMs: number;
}

export type UiEvent =
  | {
      readonly type: 'key';
      readonly key: string /** One of several that came at once. */;
      readonly many: boolean;
    }
  | { readonly type: 'paste'; readonly text: string }
  | ({ readonly type: 'mouse' } & MouseReport)
  | { readonly type: 'resize'; readonly size: Size }
  /** Time has passed. */
  | { readonly type: 'tick' }
  | { readonly type: 'connected'; readonly me: Me }
  | { readonly type: 'disconnected'; readonly failure: Failure; readonly exit: number }
  | { readonly type: 'login'; readonly code?: LoginCode; readonly note?: string }
  | Loaded
  | {
      readonly type: 'not-loaded';
      readonly screen: ScreenName;
      readonly asked: number;
      readonly failure: Failure;
      readonly exit: number;
    }
  | {
      readonly type: 'may';
      readonly resource: string;
      readonly items?: readonly MayItem[] | undefined;
      readonly failure?: Failure;
    }
  | { readonly type: 'tunnel'; readonly resource: string; readonly tunnel: TunnelState | undefined }
  | { readonly type: 'looked'; readonly item: ApprovalItem }
  | { readonly type: 'decided'; readonly item: ApprovalItem; readonly word: 'approve' | 'deny' }
  | { readonly type: 'not-decided'; readonly id: string; readonly failure: Failure }
  | {
      readonly type: 'transcript';
      readonly id: string;
      readonly part: Partial<Omit<Transcript, 'kind' | 'session' | 'top'>>;
    }
  | { readonly type: 'notice'; readonly text: string; readonly tone: Notice['tone'] };

export type Loaded = {
  readonly [K in ScreenName]: {
    readonly type: 'loaded';
    readonly screen: K;
    readonly asked: number;
    readonly items: readonly Items[K][];
    readonly next?: string | undefined;
    /** These follow what is there. */
    readonly older?: boolean;
    readonly cursor?: string;
  };
}[ScreenName];

export type Effect =
  | { readonly do: 'connect' }
  | { readonly do: 'log-in' }
  | { readonly do: 'stop-log-in' }
  | { readonly do: 'load-resources' | 'load-sessions'; readonly asked: number }
  | { readonly do: 'load-feed'; readonly asked: number; readonly query: AuditQuery; readonly older: boolean }
  | { readonly do: 'load-approvals'; readonly asked: number; readonly cursor?: string | undefined }
  | { readonly do: 'load-may'; readonly resource: string }
  | { readonly do: 'open-tunnel'; readonly resource: ResourceItem }
  | { readonly do: 'close-tunnel'; readonly resource: string }
  | { readonly do: 'copy'; readonly text: string }
  | { readonly do: 'look'; readonly id: string }
  | {
      readonly do: 'decide';
      readonly id: string;
      readonly word: 'approve' | 'deny';
      readonly binding: string;
      readonly reason: string;
    }
  | {
      readonly do: 'transcript' | 'play';
      readonly id: string;
      /** It lives: what comes is shown as well. */
      readonly follow: boolean;
    }
  /** Back to the shell for a while. */
  | { readonly do: 'stop' }
  | { readonly do: 'quit' };

export interface Step {
  readonly state: UiState;
  readonly effects: readonly Effect[];
}

const NEVER: Load = { asked: 0, waits: false, askedMs: 0, dueMs: 0, failures: 0 };

/** Before anything is known. */
export function firstState(size: Size, nowMs: number, charset: Charset): UiState {
  return {
    size,
    charset,
    nowMs,
    screen: 'resources',
    connection: { kind: 'connecting' },
    decides: false,
    lists: { resources: EMPTY, feed: EMPTY, approvals: EMPTY, sessions: EMPTY },
    filters: { resources: '', feed: '', approvals: '', sessions: '' },
    loads: { resources: NEVER, feed: NEVER, approvals: NEVER, sessions: NEVER },
    feedFilter: '',
    paused: false,
    settledToo: false,
    tunnels: new Map(),
    looked: new Map(),
    mays: new Map(),
    mouse: false,
    touchedMs: nowMs,
  };
}
