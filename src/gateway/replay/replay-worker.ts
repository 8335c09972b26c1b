/**
 * The thread of one replay: policies that were never in force are parsed, and asked, where no session waits for it.
 */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import type { AuditEventItem } from '../../api/contract.ts';
import type { AskedQuestion } from '../../audit/event.ts';
import { systemClock } from '../../core/clock.ts';
import { formatMistake } from '../../core/config/mistake.ts';
import { type ReplayRules, replayed } from '../../enforcement/replay.ts';
import { CedarEngine } from '../../policy/engine.ts';
import { loadPolicies } from '../../policy/load.ts';
import { WallClock } from '../../policy/wall-clock.ts';
import { PROTOCOLS } from '../../protocols/index.ts';
import { composeVocabulary } from '../compose/vocabulary.ts';
import { mistakeOf } from '../config/policies.ts';
import { principalOf, recordedDecision } from './event.ts';
import type { ReplayAnswer, ReplayQuestion, ReplayWorkerData } from './messages.ts';
import { ReplayTally } from './tally.ts';

function start(port: MessagePort, { files, schema, timeZone }: ReplayWorkerData): void {
  const vocabulary = composeVocabulary(PROTOCOLS);
  if (vocabulary.cedarSchema() !== schema) throw new Error('the gateway has another vocabulary');
  const tell = (answer: ReplayAnswer) => port.postMessage(answer);
  const loaded = loadPolicies(vocabulary, files);
  if (!loaded.ok) {
    tell({ kind: 'mistakes', mistakes: loaded.faults.map((fault) => formatMistake(mistakeOf(fault))) });
    return;
  }
  const time = new WallClock(timeZone, systemClock);
  const engine = new CedarEngine(loaded.set, time);
  const rules = { engine, vocabulary, sights: loaded.set.policies.map(({ sight }) => sight) };
  const tally = new ReplayTally();
  port.on('message', (question: ReplayQuestion) => {
    if (question.kind === 'report') {
      const { limit, more } = question;
      tell({ kind: 'report', report: tally.report(engine.version, limit, more) });
      return;
    }
    for (const event of question.events) count(tally, rules, event, time);
    tell({ kind: 'counted', events: tally.events, at: tally.at });
  });
  tell({ kind: 'loaded', policyVersion: engine.version });
}

function count(tally: ReplayTally, rules: ReplayRules, event: AuditEventItem, time: WallClock): void {
  // Nothing was to run, so nothing was decided.
  if (event['decision'] === 'explained') return;
  const decision = recordedDecision(event);
  if (decision === undefined) return tally.missing(event.at, 'unreadable');
  const { at, asked, cut, actor } = decision;
  if (asked === undefined) return tally.missing(at, cut.includes('asked') ? 'too-large' : 'not-recorded');
  if ('refused' in asked) return tally.refused(at);
  const principal = principalOf(actor, rules.vocabulary);
  if (principal === undefined) return tally.missing(at, 'not-recorded');
  const now = replayed(rules, principal, rules.engine.phase() === '' ? asked : asOf(asked, time, at));
  if ('missing' in now) tally.missing(at, now.missing, now.what);
  else tally.replayed(decision, now);
}

/** As late as it was then. */
function asOf(asked: AskedQuestion, time: WallClock, at: string): AskedQuestion {
  return { ...asked, context: { ...asked.context, time: time.at(Date.parse(at)) } };
}

if (parentPort !== null) start(parentPort, workerData as ReplayWorkerData);
