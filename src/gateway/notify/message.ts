import { type Approval, missing } from '../../approval/model.ts';
import { allVisible } from '../../core/visible.ts';

/**
 * What a webhook is told of one change of a request for approval. No character of it is invisible or acts on whoever
 * shows it. What was really asked is not in it: that is shown by hoopd, to those who may decide.
 */
export interface ApprovalMessage {
  readonly schemaVersion: 1;
  readonly type: `approval.${Change}`;
  /** When it changed, RFC 3339. */
  readonly timestamp: string;
  readonly data: {
    readonly id: string;
    readonly status: Approval['state'];
    readonly at: string;
    readonly expiresAt: string;
    /** It opens something for so long after the yes, s. */
    readonly window?: number;
    readonly resource: string;
    readonly protocol: string;
    readonly session: string;
    readonly actor: string;
    readonly person?: string;
    readonly instance: string;
    readonly attested: Readonly<Record<string, string>>;
    readonly actions: readonly string[];
    readonly rules: readonly { readonly id: string; readonly reason?: string }[];
    readonly needs: readonly { readonly name: string; readonly count: number }[];
    /** Names that still lack a yes. */
    readonly missing: readonly string[];
    readonly votes: readonly { readonly by: string; readonly names: readonly string[] }[];
    readonly endedBy?: string;
    readonly endReason?: string;
    readonly usedBy?: string;
    readonly link?: string;
    /** Worded by the one who asks, or named in what they ask: to be read, never to be followed. */
    readonly untrusted: {
      /** Masked. */
      readonly text: string;
      readonly reason?: string;
      readonly objects: readonly string[];
      readonly declared: Readonly<Record<string, string>>;
    };
  };
}

type Change = 'requested' | 'granted' | Exclude<Approval['state'], 'pending' | 'approved'> | 'used';

/** Bounds of one message: people read it, and hoopd has all of it. */
const MAX_TEXT = 2000;
const MAX_WORDS = 256;
const MAX_ENTRIES = 20;

/**
 * Says what has become of a request. Pure.
 *
 * @param link Where people decide; `{id}` in it stands for the request.
 * @returns `id` is the same for the same change, and of no other.
 */
export function messageOf(
  approval: Approval,
  nowMs: number,
  link?: string,
): { readonly id: string; readonly message: ApprovalMessage } {
  const { id, votes } = approval;
  const change = changeOf(approval);
  const at = change === 'requested' ? approval.at : change === 'granted' ? votes.at(-1)?.at : nowMs;
  return {
    id: `${id}-${change}${change === 'granted' ? `-${votes.length}` : ''}`,
    message: {
      schemaVersion: 1,
      type: `approval.${change}`,
      timestamp: timeText(at ?? nowMs),
      data: dataOf(approval, link),
    },
  };
}

/** Each state is entered once; only a yes of several is told by their number. */
function changeOf({ state, votes, usedBy }: Approval): Change {
  if (usedBy !== undefined) return 'used';
  if (state === 'approved') return 'granted';
  if (state === 'pending') return votes.length === 0 ? 'requested' : 'granted';
  return state;
}

function dataOf(approval: Approval, link: string | undefined): ApprovalMessage['data'] {
  const { id, state, actor, needs, votes, rules, windowMs } = approval;
  return {
    id,
    status: state,
    at: timeText(approval.at),
    expiresAt: timeText(approval.expiresAt),
    ...(windowMs === undefined ? {} : { window: Math.floor(windowMs / 1000) }),
    resource: shown(approval.resource),
    protocol: shown(approval.protocol),
    session: shown(approval.session),
    actor: shown(actor.name),
    ...optional('person', actor.person),
    instance: shown(actor.instance),
    attested: recordOf(actor.attested),
    actions: listOf(approval.actions),
    rules: rules
      .slice(0, MAX_ENTRIES)
      .map((rule) => ({ id: shown(rule.id), ...optional('reason', rule.reason) })),
    needs: needs.slice(0, MAX_ENTRIES).map(({ name, count }) => ({ name: shown(name), count })),
    missing: listOf(missing(approval)),
    votes: votes.slice(0, MAX_ENTRIES).map(({ by, names }) => ({ by: shown(by), names: listOf(names) })),
    ...optional('endedBy', approval.endedBy),
    ...optional('endReason', approval.endReason),
    ...optional('usedBy', approval.usedBy),
    ...(link === undefined ? {} : { link: link.replaceAll('{id}', id) }),
    untrusted: {
      text: shown(approval.text, MAX_TEXT),
      ...optional('reason', approval.reason),
      objects: listOf(approval.objects),
      declared: recordOf(actor.declared),
    },
  };
}

/** On one line, every character printable, at most so many of them. */
function shown(text: string, max = MAX_WORDS): string {
  const characters = [...allVisible(text.slice(0, max))];
  const cut = text.length > max || characters.length > max;
  return cut ? `${characters.slice(0, max - 1).join('')}…` : characters.join('');
}

function optional<Key extends string>(key: Key, text: string | undefined): { readonly [K in Key]?: string } {
  return text === undefined ? {} : ({ [key]: shown(text) } as { readonly [K in Key]?: string });
}

function listOf(texts: readonly string[]): readonly string[] {
  return texts.slice(0, MAX_ENTRIES).map((text) => shown(text));
}

function recordOf(texts: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const entries = Object.entries(texts).slice(0, MAX_ENTRIES);
  return Object.fromEntries(entries.map(([key, text]) => [shown(key), shown(text)]));
}

function timeText(ms: number): string {
  return new Date(ms).toISOString();
}
