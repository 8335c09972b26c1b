import { z } from 'zod';
import type { AuditEventItem } from '../../../api/contract.ts';
import { systemClock } from '../../../core/clock.ts';
import { parseMoment } from '../../parse.ts';
import { tool } from '../tool.ts';
import { DATA, shownName, shownText } from '../words.ts';

const DEFAULT_LIMIT = 20;
const MAX_LIMIT = 100;
const TEXT_CHARS = 1_000;
const MAX_NAMES = 20;
/** Looked through for one answer, where most of them are left out. */
const MAX_PAGES = 5;
/** Decides nothing: it was sent only to be explained. */
const PREVIEW = 'explained';
const WORD = z.string().min(1).max(256).optional();

export const searchAudit = tool({
  name: 'search_audit',
  title: 'Search your audit events',
  description:
    'Searches what is on record of your own operations, newest first: what ran, what was refused and by which rule. The search is on ' +
    'record as well.',
  input: z.strictObject({
    text: WORD.describe('Words in what was sent, as it is shown.'),
    resource: WORD,
    object: WORD.describe('public.customers, /orders/7'),
    action: WORD.describe('http.get, k8s.list'),
    decision: z.enum(['allow', 'deny', 'hold', PREVIEW]).optional(),
    outcome: z.enum(['success', 'failure', 'unknown']).optional(),
    type: WORD.describe('operation.decided, approval.*'),
    approval: WORD.describe('The whole story of one request: apr_….'),
    since: WORD.describe('1h, 2026-01-31, or RFC 3339.'),
    previews: z
      .boolean()
      .optional()
      .describe('Also what was only explained: each call of a tool is, before it is sent.'),
    this_server: z.boolean().optional().describe('Only what this server did since it was started.'),
    limit: z.int().min(1).max(MAX_LIMIT).optional().describe(`Default ${DEFAULT_LIMIT}.`),
    cursor: z.string().max(1_024).optional().describe('From `older` of the answer before.'),
  }),
  output: z.object({
    untrusted: z.string(),
    events: z.array(
      z.object({
        id: z.string(),
        at: z.string(),
        type: z.string(),
        resource: z.string().optional(),
        decision: z.string().optional(),
        outcome: z.string().optional(),
        status: z.string().optional(),
        rules: z.array(z.string()).optional(),
        reason: z.string().optional(),
        text: z.string().optional(),
        objects: z.array(z.string()).optional(),
        rows: z.number().optional(),
        preview: z.boolean().optional().describe('It was not to run: it was explained.'),
      }),
    ),
    older: z.string().optional().describe('Hand it in as cursor for older ones.'),
  }),
  async run({ text, since, this_server, previews, limit = DEFAULT_LIMIT, cursor, ...filters }, { desk }) {
    const { api, credential } = await desk.gateway();
    const given = Object.entries(filters).filter((one): one is [string, string] => one[1] !== undefined);
    const query = {
      ...Object.fromEntries(given),
      ...(text === undefined ? {} : { q: text }),
      ...(since === undefined ? {} : { since: parseMoment(since, 'since', systemClock.now()) }),
      ...(this_server === true ? { instance: credential.facts.instance } : {}),
      limit: String(limit),
    };
    const asked = previews === true || filters.decision === PREVIEW;
    const events: AuditEventItem[] = [];
    let next = cursor;
    for (let pages = 0; pages < MAX_PAGES && events.length < limit; pages++) {
      const page = await api.auditEvents({ ...query, ...(next === undefined ? {} : { cursor: next }) });
      events.push(...page.events.filter((event) => asked || !isPreview(event)));
      next = page.next;
      if (next === undefined) break;
    }
    return {
      untrusted: DATA,
      events: events.map(shownEvent),
      ...(next === undefined ? {} : { older: next }),
    };
  },
});

function isPreview({ decision }: AuditEventItem): boolean {
  return decision === PREVIEW;
}

/** Pure. Odd fields are left out: the gateway may be newer than we. */
export function shownEvent(event: AuditEventItem) {
  const texts = ['resource', 'decision', 'outcome', 'status', 'reason', 'text'].flatMap((name) => {
    const value = event[name];
    return typeof value === 'string' ? [[name, shownText(value, TEXT_CHARS)]] : [];
  });
  const lists = ['rules', 'objects'].flatMap((name) => {
    const value = event[name];
    return Array.isArray(value)
      ? [[name, value.slice(0, MAX_NAMES).map((one) => shownName(nameOf(one)))]]
      : [];
  });
  const { rows } = event;
  return {
    id: shownName(event.id),
    at: shownName(event.at),
    type: shownName(event.type),
    ...Object.fromEntries([...texts, ...lists]),
    ...(isPreview(event) ? { preview: true } : {}),
    ...(typeof rows === 'number' ? { rows } : {}),
  };
}

/** Of a rule or an object. */
function nameOf(value: unknown): string {
  const { id } = (typeof value === 'object' && value !== null ? value : {}) as { readonly id?: unknown };
  return String(id ?? value);
}
