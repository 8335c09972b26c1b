import type { AuditEventItem } from '../../api/contract.ts';
import { eventRow, HEADINGS } from '../../cli/audit/event-row.ts';
import { renderTable } from '../../cli/render/table.ts';
import type { Finished, Hoopctl } from '../hoopctl.ts';
import { countLeaks } from '../leaks.ts';
import type { Stage } from '../stage.ts';
import type { Check, Story } from '../story.ts';
import type { AgentWork } from './agent.ts';
import { AGENT, RESOURCE } from './agent.ts';
import type { AgentCalls } from './caller.ts';
import { signIn } from './sign-in.ts';

/** What the evidence says, as `hoopctl` shows it to an auditor. */
/** What became of what was refused, by the decision on record. */
export interface Refusals {
  readonly denied: number;
  readonly held: number;
  /** Allowed to run, and rolled back by the gateway for what it changed. */
  readonly undone: number;
}

export interface Evidence {
  readonly refusals: Refusals;
  readonly maskedValues: number;
  readonly auditEvents: number;
  readonly auditVerified: boolean;
  readonly recordingReplayed: boolean;
}

const INDEXED_MS = 10_000;

type Json = Record<string, unknown>;

/** Signs Otto in as himself, searches, verifies, replays. */
export async function auditorLooks(
  stage: Stage,
  story: Story,
  hoopctl: Hoopctl,
  done: { readonly work: AgentWork; readonly calls: AgentCalls },
  check: Check,
): Promise<Evidence> {
  const { work } = done;
  const allowed = work.allowed + done.calls.allowed;
  const denied = work.denied + done.calls.denied;
  await signIn(stage, story, hoopctl, 'otto', []);
  const run = async (...args: string[]) => {
    const finished = await hoopctl.run(...args);
    check(
      finished.code === 0,
      `hoopctl ${args.join(' ')} ended with ${finished.code}: ${finished.stderr.trim()}`,
    );
    return finished;
  };
  const show = (...args: string[]) => {
    story.typed('$', `hoopctl ${args.join(' ')}`);
    return run(...args);
  };
  const search = ['audit', 'search', '--agent', AGENT, '--decision', 'deny'];
  story.typed('$', `hoopctl ${search.join(' ')}`);
  const denials = await run(...search, '--json');
  // As hoopctl lays it out on a terminal of this width; its own standard output is a pipe here.
  const found = (jsonLines(denials) as unknown as AuditEventItem[]).map(eventRow);
  story.showed(renderTable(HEADINGS, found, story.width).join('\n'));
  story.say(
    'That a rule denied. Where people did not say yes: --decision hold. What ran and was undone: --outcome failure.',
  );

  const events = await allEvents(hoopctl, allowed);
  // Of statements: that the agent may connect is decided too.
  const decided = events.filter(
    (event) => event['type'] === 'operation.decided' && event['text'] !== 'connect',
  );
  // What changed too many rows was allowed to run, and is undone by its count.
  const undone = count(decided, 'reason', 'refused: rows');
  check(undone > 0, 'the audit shows nothing that was undone');
  check(
    count(decided, 'decision', 'allow') === allowed + undone,
    'the audit counts other statements allowed than the agent',
  );
  const refusals = {
    denied: count(decided, 'decision', 'deny'),
    held: count(decided, 'decision', 'hold'),
    undone,
  };
  check(
    refusals.denied + refusals.held + undone === denied,
    'the audit counts other statements refused than the agent',
  );
  const maskedValues = events.reduce((sum, event) => sum + Number(event['maskedValues'] ?? 0), 0);
  check(maskedValues > 0, 'the audit counts no masked value');

  const verified = await show('audit', 'verify');
  story.showed(verified.stdout);

  const session = String(decided.find((event) => event['resource'] === RESOURCE)?.['session'] ?? '');
  const replay = await show('session', 'replay', session, '--speed', '0');
  story.showed(replay.stdout, 14);
  const frames = jsonLines(await hoopctl.run('session', 'replay', session, '--json'));
  const shown = denials.stdout + replay.stdout + JSON.stringify(frames) + JSON.stringify(events);
  check(countLeaks(Buffer.from(shown), stage.shop.secrets) === 0, 'audit or replay shows a planted value');
  return {
    refusals,
    maskedValues,
    auditEvents: events.length,
    auditVerified: verified.code === 0,
    recordingReplayed: replay.code === 0 && isWhole(frames, work),
  };
}

/** Events are found a moment after they are stored: outcomes of the last statements are waited for, 10 s at most. */
async function allEvents(hoopctl: Hoopctl, allowed: number): Promise<Json[]> {
  const deadline = Date.now() + INDEXED_MS;
  for (;;) {
    const events = jsonLines(await hoopctl.run('audit', 'search', '--limit', '1000', '--json'));
    const known = events.filter((event) => event['decision'] === 'allow' && event['outcome'] !== undefined);
    if (known.length >= allowed || Date.now() > deadline) return events;
  }
}

/** Every statement of the agent is in the recording, in order, and the recording has its end. */
function isWhole(frames: readonly Json[], work: AgentWork): boolean {
  const requests = frames
    .filter((frame) => frame['kind'] === 'request')
    .map((frame) => String(frame['text']));
  const end = frames.at(-1);
  return requests.length === work.texts.length && end?.['kind'] === 'end' && end['complete'] === true;
}

function count(events: readonly Json[], field: string, value: string): number {
  return events.filter((event) => event[field] === value).length;
}

function jsonLines(finished: Finished): Json[] {
  const lines = finished.stdout.split('\n').filter((line) => line.startsWith('{'));
  return lines.map((line) => JSON.parse(line) as Json);
}
