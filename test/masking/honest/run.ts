import { type Major, startWorld } from '../../attacks/world.ts';
import { POLICY } from '../twins.ts';
import { judged, type Verdict } from './compare.ts';
import type { Corpus, Honest } from './corpus.ts';

interface Judged {
  readonly statement: Honest;
  readonly verdict: Verdict;
}

/** What became of each statement of a corpus. */
export interface HonestReport {
  readonly corpus: string;
  readonly major: Major;
  readonly all: readonly Judged[];
}

/** What the gateway sets for every session, which `pg_settings` tells. */
const AS_THE_GATEWAY = { client_encoding: 'UTF8', standard_conforming_strings: 'on' };

/** Asks a corpus directly and through the gateway. */
export async function honest(corpus: Omit<Corpus, 'majors'>, major: Major): Promise<HonestReport> {
  const { name, statements, ...scenario } = corpus;
  const world = await startWorld(major, { policy: POLICY, ...scenario });
  try {
    const [direct, through] = [await world.direct({ parameters: AS_THE_GATEWAY }), await world.through()];
    const all: Judged[] = [];
    const asked = typeof statements === 'function' ? await statements(world) : statements;
    for (const session of sessionsOf(asked)) {
      const verdicts = await judged(session, direct, through);
      all.push(...session.map((statement, n) => ({ statement, verdict: verdicts[n]! })));
    }
    return { corpus: name, major, all };
  } finally {
    await world.stop();
  }
}

/** What is asked one after another: those of a session, or one alone. */
function sessionsOf(statements: readonly Honest[]): readonly (readonly Honest[])[] {
  const sessions = Map.groupBy(statements, (statement) => statement.session ?? statement);
  return [...sessions.values()];
}

export function countsOf({ all }: HonestReport): Readonly<Record<Verdict['kind'], number>> {
  const of = (kind: Verdict['kind']) => all.filter(({ verdict }) => verdict.kind === kind).length;
  return {
    same: of('same'),
    masked: of('masked'),
    withheld: of('withheld'),
    refused: of('refused'),
    differs: of('differs'),
    unfit: of('unfit'),
  };
}
