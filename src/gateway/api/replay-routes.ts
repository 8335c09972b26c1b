import { z } from 'zod';
import { PATHS } from '../../api/contract.ts';
import type { PolicyReplayItem, PolicyReplayRequest } from '../../api/policy-replay.ts';
import type { AuditLog } from '../../audit/event.ts';
import { HoopError } from '../../core/errors.ts';
import type { Vocabulary } from '../../policy/vocabulary/index.ts';
import { actorOf } from '../actor.ts';
import { type Ask, AUDIT_LOG, demandAdministrator, demandUnattenuated } from '../plane.ts';
import type { PolicyReplays } from '../replay/replays.ts';
import type { Routes } from './app.ts';
import { writtenOut } from './audit-words.ts';
import { readJson } from './body.ts';
import { type ApiContext, connectionOf } from './context.ts';
import { ndjson, streamed } from './stream.ts';

export interface ReplayRouteDeps {
  readonly replays: PolicyReplays;
  readonly audit: AuditLog;
  readonly vocabulary: Vocabulary;
  readonly ask: Ask;
}

/** Policies of the largest size, as JSON, with all of it escaped that may be: octets. */
const MAX_BODY_BYTES = 4 * 1024 * 1024;
const MAX_FILES = 500;
const MAX_FILTER_CHARS = 1024;
const MAX_TOLD = 1000;

const filter = z.string().max(MAX_FILTER_CHARS).exactOptional();
const body = z.strictObject({
  files: z
    .array(z.strictObject({ name: z.string().min(1).max(255), text: z.string() }))
    .min(1)
    .max(MAX_FILES),
  query: z.strictObject({
    ...{ q: filter, agent: filter, person: filter, model: filter, resource: filter, session: filter },
    ...{ instance: filter, run: filter, approval: filter, object: filter, action: filter, decision: filter },
    ...{ outcome: filter, since: filter, until: filter },
  }),
  limit: z.int().min(0).max(MAX_TOLD),
});

/** What other policies would have decided: for persons who may search in all of the audit. */
export function replayRoutes(deps: ReplayRouteDeps): Routes {
  return (app) => {
    app.post(PATHS.policyReplay, async (context) => {
      const { principal } = context.var;
      demandUnattenuated(principal, 'audit.search', AUDIT_LOG, deps.vocabulary);
      demandAdministrator(principal, 'audit.search', AUDIT_LOG, deps.ask);
      const asked = await requestOf(context);
      const request = { ...asked, query: writtenOut(asked.query, deps.vocabulary) };
      await deps.audit.append({
        type: 'policy.replayed',
        actor: actorOf(principal, deps.vocabulary),
        facts: { files: asked.files.length, ...asked.query },
      });
      const items = deps.replays.run(request, connectionOf(context));
      // Until the first item is there, what is wrong can still be said as of any request.
      const first = await items.next();
      return streamed(ndjson(withFirst(first, items)), 'application/x-ndjson');
    });
  };
}

async function requestOf(context: ApiContext): Promise<PolicyReplayRequest> {
  const parsed = body.safeParse(await readJson(context, MAX_BODY_BYTES));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new HoopError(
    'ERR_USAGE',
    `${issue?.path.join('.') ?? 'the body'}: ${issue?.message ?? 'not valid'}`,
  );
}

async function* withFirst(
  first: IteratorResult<PolicyReplayItem>,
  rest: AsyncGenerator<PolicyReplayItem>,
): AsyncGenerator<PolicyReplayItem> {
  try {
    if (first.done !== true) yield first.value;
    yield* rest;
  } finally {
    await rest.return(undefined);
  }
}
