import type { PolicyReplayItem, PolicyReplayReport } from '../../api/policy-replay.ts';
import type { OpenGateway } from '../../client/gateway.ts';
import { systemClock } from '../../core/clock.ts';
import { HoopError } from '../../core/errors.ts';
import { searchQuery } from '../audit/run-search.ts';
import { type Invocation, textOption } from '../command.ts';
import { parseWhole } from '../parse.ts';
import { renderReplay } from '../render/policy-replay.ts';
import { AS_PERSON, withGateway } from '../with-gateway.ts';
import { readPolicyFiles } from './policy-files.ts';

const DIFFERS = 76;
const DEFAULT_SINCE = '7d';
const DEFAULT_LIMIT = '20';
const MAX_LIMIT = 1000;
/** Between two remarks on how far it is. */
const NOTE_MS = 5000;

/**
 * Asks the gateway what other policies would have decided.
 *
 * @returns 0 all as it was decided; 76 some otherwise.
 */
export async function runReplay(invocation: Invocation): Promise<number> {
  const { args, options, io } = invocation;
  const [path] = args as readonly [string];
  const limit = parseWhole(textOption(invocation, 'limit') ?? DEFAULT_LIMIT, '--limit', 0, MAX_LIMIT);
  const query = searchQuery({ args: [], options: { since: DEFAULT_SINCE, ...options } }, systemClock.now());
  const files = await readPolicyFiles(path);
  const report = await withGateway(
    invocation,
    async ({ api }: OpenGateway) =>
      reportOf(api.policyReplay({ files, query: await api.wholeIds(query), limit }, io.signal), invocation),
    AS_PERSON,
  );
  if (io.json) await io.value(report);
  else for (const line of renderReplay(report, io.width)) await io.line(line);
  return report.changed === 0 ? 0 : DIFFERS;
}

async function reportOf(
  items: AsyncIterable<PolicyReplayItem>,
  { io }: Invocation,
): Promise<PolicyReplayReport> {
  let noted = performance.now();
  for await (const item of items) {
    if (item.kind === 'report') return item.report;
    if (item.kind === 'mistakes') {
      for (const mistake of item.mistakes) io.note(mistake);
      throw new HoopError('ERR_CONFIG', 'these policies would never be put in force');
    }
    if (performance.now() - noted < NOTE_MS) continue;
    noted = performance.now();
    io.note(`${item.events} decisions so far, back to ${item.at}`);
  }
  throw new HoopError('ERR_GATEWAY_UNREACHABLE', 'the gateway ended the replay before it was whole', {
    hint: 'ask again, of less: --since, --resource, --agent',
  });
}
