/** `hoopctl audit summary`, and what `hoopctl run --summary` appends to a file. */
import { appendFile } from 'node:fs/promises';
import type { ActionKind, AuditEventItem } from '../../api/contract.ts';
import type { GatewayApi } from '../../client/gateway-api.ts';
import { HoopError, isHoopError } from '../../core/errors.ts';
import { RUN_VARIABLE } from '../../core/ids/runs.ts';
import { type Invocation, textOption } from '../command.ts';
import { demandWho } from '../who-options.ts';
import { AS_PERSON, runOf, withGateway } from '../with-gateway.ts';
import { type RunSummary, summaryOf } from './summary.ts';
import { summaryMarkdown } from './summary-markdown.ts';

/** Events that a summary looks at. */
const MAX_EVENTS = 20_000;
const PAGE = 1000;

export async function runSummary(invocation: Invocation): Promise<undefined> {
  const { io } = invocation;
  const run = textOption(invocation, 'run') ?? runOf(io.env);
  if (run === undefined)
    throw new HoopError('ERR_USAGE', 'of which run?', { hint: `name it by --run, or in ${RUN_VARIABLE}` });
  demandWho('run', run);
  const summary = await withGateway(invocation, ({ api }) => summarise(api, run), AS_PERSON);
  if (summary.sessions === 0) io.note(`nothing of the run ${run} is on record, or you may not see it`);
  if (io.json) await io.value(summary);
  else await io.write(summaryMarkdown(summary));
}

/**
 * Appends the summary of a run to a file, as a job's page wants it.
 *
 * What the instance gave up for the run may be the right to look at the audit: another instance of the login looks. That there is no
 * summary is said and changes nothing: the run is over.
 */
export async function appendSummary(invocation: Invocation, run: string, file: string): Promise<void> {
  const { only: _, readOnly: __, ...options } = invocation.options;
  try {
    const summary = await withGateway({ ...invocation, options }, ({ api }) => summarise(api, run));
    await appendFile(file, summaryMarkdown(summary), { mode: 0o600 });
  } catch (error) {
    invocation.io.note(`there is no summary of the run: ${whyNot(error, file)}`);
  }
}

function whyNot(error: unknown, file: string): string {
  if (isHoopError(error) || !(error instanceof Error) || !('code' in error))
    return error instanceof Error ? error.message : String(error);
  return `${file} cannot be written (${error.code})`;
}

async function summarise(api: GatewayApi, run: string): Promise<RunSummary> {
  const events: AuditEventItem[] = [];
  let kinds: Readonly<Record<string, ActionKind>> = {};
  let cursor: string | undefined;
  do {
    const page = await api.auditEvents({
      run,
      limit: `${PAGE}`,
      ...(cursor === undefined ? {} : { cursor }),
    });
    events.push(...page.events);
    kinds = { ...kinds, ...page.kinds };
    cursor = page.events.length === 0 ? undefined : page.next;
  } while (cursor !== undefined && events.length < MAX_EVENTS);
  return summaryOf(run, events, kinds, cursor !== undefined);
}
