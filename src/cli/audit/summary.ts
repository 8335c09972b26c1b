/**
 * What a run did, summed up from its events. Pure.
 */
import type { ActionKind, AuditEventItem } from '../../api/contract.ts';

/** As the gateway calls it where no rule permits. */
export const DEFAULT_DENY = 'default-deny';
/** How many changes and refusals are told one by one. */
const MAX_TOLD = 50;

export interface ResourceSummary {
  readonly resource: string;
  readonly operations: number;
  readonly read: number;
  readonly changed: number;
  /** Neither, as far as an action says: commands, transactions, calls. */
  readonly other: number;
  readonly refused: number;
  /** Waited for people, and what they said is not among the rest. */
  readonly held: number;
  readonly failed: number;
  readonly rowsRead: number;
  readonly rowsChanged: number;
  readonly maskedValues: number;
}

export interface ToldOperation {
  readonly at: string;
  readonly resource: string;
  /** As it is shown: masked. */
  readonly text: string;
  readonly actions: readonly string[];
  readonly rows?: number;
  readonly outcome?: string;
  /** In the protocol's own code. */
  readonly status?: string;
  readonly rule?: string;
  readonly reason?: string;
  readonly hint?: string;
}

export interface RunSummary {
  readonly run: string;
  /** Who acted, each once: `copilot for ada@example.com`. */
  readonly who: readonly string[];
  /** What issuers attested of them, by attribute. */
  readonly attested: Readonly<Record<string, readonly string[]>>;
  readonly sessions: number;
  /** RFC 3339; empty where nothing is on record. */
  readonly from: string;
  readonly until: string;
  readonly resources: readonly ResourceSummary[];
  /** The oldest first. */
  readonly changes: readonly ToldOperation[];
  readonly refusals: readonly ToldOperation[];
  /** Of these lists, how many are not told one by one. */
  readonly leftOut: number;
  /** Not all events were looked at: the oldest are missing. */
  readonly incomplete: boolean;
}

/**
 * @param events Of one run, the newest first.
 * @param kinds What each action does with data.
 * @param incomplete There are older ones.
 */
export function summaryOf(
  run: string,
  events: readonly AuditEventItem[],
  kinds: Readonly<Record<string, ActionKind>>,
  incomplete: boolean,
): RunSummary {
  const oldestFirst = events.toReversed();
  const decided = oldestFirst.filter(({ type }) => type === 'operation.decided').map(operationOf);
  // To connect is told by the sessions; refused, it is a refusal as any other.
  const asked = decided.filter(({ connects, decision }) =>
    // What was only explained was not to run.
    decision === 'explained' ? false : !connects || decision !== 'allow',
  );
  const kindOf = ({ actions }: Operation) => kindOfAll(actions, kinds);
  const resources = [...Map.groupBy(asked, ({ resource }) => resource)].map(([resource, operations]) =>
    countsOf(resource, operations, kindOf),
  );
  const changes = asked.filter((one) => one.decision === 'allow' && kindOf(one) === 'change');
  const refusals = asked.filter(({ decision }) => decision === 'deny');
  return {
    run,
    who: unique(oldestFirst.map(({ actor }) => whoOf(record(actor)))),
    attested: attestedOf(oldestFirst),
    sessions: oldestFirst.filter(({ type }) => type === 'session.started').length,
    from: oldestFirst[0]?.at ?? '',
    until: oldestFirst.at(-1)?.at ?? '',
    resources: resources.sort((a, b) => (a.resource < b.resource ? -1 : 1)),
    changes: changes.slice(0, MAX_TOLD).map(told),
    refusals: refusals.slice(0, MAX_TOLD).map(told),
    leftOut: Math.max(0, changes.length - MAX_TOLD) + Math.max(0, refusals.length - MAX_TOLD),
    incomplete,
  };
}

interface Operation extends ToldOperation {
  readonly decision: string;
  readonly connects: boolean;
  readonly maskedValues: number;
}

function operationOf(event: AuditEventItem): Operation {
  const rule = record(Array.isArray(event['rules']) ? event['rules'][0] : undefined);
  const actions = texts(event['actions']);
  const rows = event['rows'];
  const said = rule['id'] === undefined ? ownRefusal(text(event['reason'])) : {};
  const optional = {
    outcome: event['outcome'],
    status: event['status'],
    rule: rule['id'] ?? said.rule,
    reason: rule['reason'] ?? said.reason ?? (said.rule === undefined ? event['reason'] : undefined),
    hint: rule['hint'],
  };
  return {
    at: event.at,
    resource: text(event['resource']),
    text: text(event['text']) || texts(event['objects']).join(' '),
    actions,
    ...(typeof rows === 'number' ? { rows } : {}),
    ...Object.fromEntries(
      Object.entries(optional).filter(([, value]) => typeof value === 'string' && value !== ''),
    ),
    decision: text(event['decision']),
    connects: text(event['text']) === 'connect' && actions.every((action) => action === 'connect'),
    maskedValues: number(event['maskedValues']),
  };
}

/** A refusal that no rule of the policy decided has its rule, one of the gateway's own, before its reason: `masked-column-flow: …`. */
function ownRefusal(reason: string): { readonly rule?: string; readonly reason?: string } {
  if (reason === DEFAULT_DENY) return { rule: reason };
  const [, rule, why] = /^([a-z][a-z-]*|ERR_[A-Z_]+): (.*)$/s.exec(reason) ?? [];
  return rule === undefined || why === undefined ? {} : { rule, reason: why };
}

/** What changes anything is a change; what only reads is reading. */
function kindOfAll(actions: readonly string[], kinds: Readonly<Record<string, ActionKind>>): ActionKind {
  const found = actions.map((action) => kinds[action] ?? 'other');
  if (found.includes('change')) return 'change';
  return found.includes('read') ? 'read' : 'other';
}

function countsOf(
  resource: string,
  operations: readonly Operation[],
  kindOf: (operation: Operation) => ActionKind,
): ResourceSummary {
  const allowed = operations.filter(({ decision }) => decision === 'allow');
  const of = (kind: ActionKind) => allowed.filter((one) => kindOf(one) === kind);
  // Of one that failed nothing remains.
  const rows = (some: readonly Operation[]) =>
    some.reduce((sum, { rows = 0, outcome }) => sum + (outcome === 'failure' ? 0 : rows), 0);
  const decidedAs = (word: string) => operations.filter(({ decision }) => decision === word).length;
  return {
    resource,
    operations: operations.length,
    read: of('read').length,
    changed: of('change').length,
    other: of('other').length,
    refused: decidedAs('deny'),
    held: decidedAs('hold'),
    failed: allowed.filter(({ outcome }) => outcome === 'failure').length,
    rowsRead: rows(of('read')),
    rowsChanged: rows(of('change')),
    maskedValues: allowed.reduce((sum, { maskedValues }) => sum + maskedValues, 0),
  };
}

function told({ decision: _, connects: __, maskedValues: ___, ...operation }: Operation): ToldOperation {
  return operation;
}

function whoOf(actor: Readonly<Record<string, unknown>>): string {
  const [name, person] = [text(actor['name']), text(actor['person'])];
  return person !== '' && person !== name ? `${name} for ${person}` : name;
}

/** Values of every attribute, in the order in which they came. */
function attestedOf(events: readonly AuditEventItem[]): Readonly<Record<string, readonly string[]>> {
  const found = new Map<string, Set<string>>();
  for (const { actor } of events)
    for (const [name, value] of Object.entries(record(record(actor)['attested'])))
      if (typeof value === 'string') found.set(name, (found.get(name) ?? new Set()).add(value));
  return Object.fromEntries([...found].map(([name, values]) => [name, [...values]]));
}

function unique(values: readonly string[]): readonly string[] {
  return [...new Set(values.filter((value) => value !== ''))];
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function number(value: unknown): number {
  return typeof value === 'number' ? value : 0;
}

function texts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}
