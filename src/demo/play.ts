import { join } from 'node:path';
import { Hoopctl } from './hoopctl.ts';
import { AGENT, agentSignsIn, agentWorks } from './scenes/agent.ts';
import { auditorLooks, type Refusals } from './scenes/auditor.ts';
import { agentCalls } from './scenes/caller.ts';
import type { Stage } from './stage.ts';
import { type Check, type Story, table } from './story.ts';

/** What the play came to: printed as one line of JSON by `--once`. */
export interface PlaySummary {
  readonly schemaVersion: 1;
  /** What the agent sent to the database and to the API, and how all of it was answered. */
  readonly statements: number;
  readonly requests: number;
  readonly allowed: number;
  /** Refused to the agent in any way: what the audit has as denied, as held and not approved, and as undone when it had run. */
  readonly denied: number;
  /** As the gateway's own audit counts them. */
  readonly maskedValues: number;
  /** Planted values found in the bytes of the agent's socket. */
  readonly leakedValues: number;
  readonly auditEvents: number;
  readonly auditVerified: boolean;
  readonly recordingReplayed: boolean;
  readonly seconds: number;
}

/**
 * Plays what an agent would do, and then what an auditor would: every part is the real one, `hoopctl` included.
 *
 * @returns The summary, and what did not turn out as it must: no problems if all is well.
 * @throws {HoopError} a step that everything after it needs has failed.
 */
export async function play(
  stage: Stage,
  story: Story,
): Promise<{ readonly summary: PlaySummary; readonly problems: readonly string[] }> {
  const startedAt = performance.now();
  const problems: string[] = [];
  const check: Check = (ok, problem) => {
    if (!ok) problems.push(problem);
  };
  const agent = new Hoopctl(join(stage.directory, 'home-of-agent'));
  const grace = new Hoopctl(join(stage.directory, 'home-of-grace'));
  const auditor = new Hoopctl(join(stage.directory, 'home-of-otto'));

  story.chapter('An agent signs in, by a person');
  await agentSignsIn(stage, story, agent);
  story.chapter('It works, with an ordinary PostgreSQL driver');
  const work = await agentWorks(stage, story, agent, check, grace);
  story.chapter('And by the shop’s HTTP API, with curl');
  const calls = await agentCalls(stage, story, agent, check);
  story.chapter('What the database itself says');
  await compareWithTruth(stage, story, check);
  story.chapter('Otto, the auditor, finds out what happened');
  const evidence = await auditorLooks(stage, story, auditor, { work, calls }, check);

  const { statements } = work;
  const { requests } = calls;
  const allowed = work.allowed + calls.allowed;
  const denied = work.denied + calls.denied;
  const leakedValues = work.leakedValues + calls.leakedValues;
  check(leakedValues === 0, `${leakedValues} planted values reached the agent`);
  const { refusals, maskedValues, auditEvents, auditVerified, recordingReplayed } = evidence;
  const seconds = Math.round((performance.now() - startedAt) / 100) / 10;
  story.plain(
    `\n${AGENT} sent ${statements} statements and ${requests} requests: ${allowed} allowed, ${inWords(refusals)}. ${maskedValues} values were masked;` +
      ` of the ${stage.shop.secrets.length} planted in the shop, ${leakedValues} reached it.`,
  );
  const counted = { statements, requests, allowed, denied, maskedValues, leakedValues };
  const proven = { auditEvents, auditVerified, recordingReplayed };
  const summary: PlaySummary = { schemaVersion: 1, ...counted, ...proven, seconds };
  return { summary, problems };
}

function inWords({ denied, held, undone }: Refusals): string {
  return (
    `${denied + held + undone} refused (${denied} denied by a rule, ${held} not approved, ` +
    `${undone} undone as too many rows changed)`
  );
}

/** Asks past the gateway: rows are whole, the table stands, the one allowed change is there. */
async function compareWithTruth(stage: Stage, story: Story, check: Check): Promise<void> {
  const sql =
    'SELECT (SELECT count(*) FROM customers) AS customers, (SELECT count(*) FROM orders) AS orders,' +
    ' (SELECT email FROM customers WHERE id = 1) AS email_1, (SELECT status FROM orders WHERE id = 7) AS order_7';
  const [row = {}] = await stage.truth(sql);
  story.showed(table(Object.keys(row), [Object.values(row)]));
  story.say('Nothing is gone, nothing in the tables is masked: masks are made on the way out.');
  const { customers, orders } = stage.shop.counts;
  check(Number(row['customers']) === customers, 'customers are missing');
  check(Number(row['orders']) === orders, 'orders are missing');
  check(row['order_7'] === 'shipped', 'the allowed change did not arrive');
  check(stage.shop.secrets.includes(String(row['email_1'])), 'the stored values are not the planted ones');
}
