import { AUDIT_FILTER_NAMES } from '../../api/audit-filters.ts';
import {
  type ActionKind,
  type AuditChainList,
  type AuditEventItem,
  type AuditPage,
  type AuditQuery,
  PATHS,
} from '../../api/contract.ts';
import type { AuditLog } from '../../audit/event.ts';
import { HoopError } from '../../core/errors.ts';
import type { Vocabulary } from '../../policy/vocabulary/index.ts';
import type { AuditIndex } from '../../search/audit-index.ts';
import { chainSegments, listChains, readChain } from '../../storage/chain-files.ts';
import { actorOf } from '../actor.ts';
import {
  type Ask,
  AUDIT_LOG,
  demandAdministrator,
  demandUnattenuated,
  mayBeyondOwn,
  scopeOf,
} from '../plane.ts';
import type { Routes } from './app.ts';
import { writtenOut } from './audit-words.ts';
import { type ApiContext, queryOf } from './context.ts';
import { streamed } from './stream.ts';

export interface AuditRouteDeps {
  readonly auditDir: string;
  readonly audit: AuditLog;
  readonly vocabulary: Vocabulary;
  readonly index: AuditIndex;
  readonly ask: Ask;
}

const FIELDS = ['q', ...AUDIT_FILTER_NAMES, 'limit', 'cursor'] as const satisfies (keyof AuditQuery)[];

/** As hoopctl 0.1 has it. */
const FORMER = { table: 'object' } as const;

/** Search for everyone within their own; the chains themselves for persons with `audit.export`. */
export function auditRoutes(deps: AuditRouteDeps): Routes {
  return (app) => {
    app.get(PATHS.auditEvents, (context) => search(deps, context));
    app.get(`${PATHS.auditEvents}/:id{evt_[0-9A-Z]{26}}`, async (context) => {
      const { principal } = context.var;
      const id = context.req.param('id');
      demandUnattenuated(principal, 'audit.search', AUDIT_LOG, deps.vocabulary);
      const all = mayBeyondOwn(principal, 'audit.search', AUDIT_LOG, deps.ask);
      await deps.audit.append({
        type: 'audit.searched',
        actor: actorOf(principal, deps.vocabulary),
        facts: { event: id },
      });
      const event = await deps.index.event(id, scopeOf(principal, all));
      if (event === undefined)
        throw new HoopError('ERR_NO_ACCESS', 'no such event, or no access to it', {
          hint: 'see: hoopctl audit search',
        });
      return context.json(event);
    });
    app.get(PATHS.auditChains, (context) => {
      demandAdministrator(context.var.principal, 'audit.export', AUDIT_LOG, deps.ask);
      const chains = listChains(deps.auditDir).map(({ fileId, chain, segments, bytes }) => ({
        id: fileId,
        chain,
        segments,
        bytes,
      }));
      return context.json({ schemaVersion: 1, chains } satisfies AuditChainList);
    });
    app.get(`${PATHS.auditChains}/:id`, async (context) => {
      const { principal } = context.var;
      demandAdministrator(principal, 'audit.export', AUDIT_LOG, deps.ask);
      const id = context.req.param('id');
      if (chainSegments(deps.auditDir, id).length === 0)
        throw new HoopError('ERR_NO_ACCESS', 'no such audit chain');
      await deps.audit.append({
        type: 'audit.exported',
        actor: actorOf(principal, deps.vocabulary),
        facts: { chain: id },
      });
      return streamed(readChain(deps.auditDir, id), 'application/x-ndjson');
    });
  };
}

async function search(deps: AuditRouteDeps, context: ApiContext): Promise<Response> {
  const { principal } = context.var;
  const query = queryOf(context, FIELDS, FORMER);
  const wanted = writtenOut(query, deps.vocabulary);
  demandUnattenuated(principal, 'audit.search', AUDIT_LOG, deps.vocabulary);
  const all = mayBeyondOwn(principal, 'audit.search', AUDIT_LOG, deps.ask);
  // Who looked for what is evidence too, and stands before they see it.
  await deps.audit.append({
    type: 'audit.searched',
    actor: actorOf(principal, deps.vocabulary),
    facts: { scope: all ? 'all' : 'own', ...query },
  });
  const page = await deps.index.search(wanted, scopeOf(principal, all));
  return context.json({ ...page, kinds: kindsOf(page.events, deps.vocabulary) } satisfies AuditPage);
}

function kindsOf(
  events: readonly AuditEventItem[],
  vocabulary: Vocabulary,
): Readonly<Record<string, ActionKind>> {
  const actions = new Set(events.flatMap(({ actions }) => (Array.isArray(actions) ? actions : [])));
  return Object.fromEntries([...actions].map((action: string) => [action, vocabulary.kindOf(action)]));
}
