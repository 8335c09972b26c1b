import fc from 'fast-check';
import { schemaOfCases } from '../cases/run.ts';
import { Judge } from '../judge.ts';
import type { Server } from '../servers.ts';
import { Tally } from '../tally.ts';
import { statements } from './statements.ts';
import { readVocabulary } from './vocabulary.ts';

const COUNT = 3_000;
const SEED = 20_240_505;
const DATABASE = 'generated';

/**
 * Statements made by chance of all that the catalog has, over the schema of the cases. None is run.
 *
 * @param count How many, and the seed, as `generated:10000 generated:7`; the same in every run.
 */
export async function generated(
  server: Server,
  [count = String(COUNT), seed = String(SEED)]: readonly string[],
): Promise<Tally> {
  await server.make(DATABASE);
  const session = await server.open({ database: DATABASE });
  try {
    const { error } = await session.run(schemaOfCases());
    if (error !== undefined) throw new Error(error);
    const tally = new Tally('generated', server.major);
    const judge = new Judge(session, server.major);
    const all = statements(await readVocabulary(session));
    for (const [index, text] of fc.sample(all, { numRuns: Number(count), seed: Number(seed) }).entries()) {
      tally.at = `${index}`;
      await judge.judge(text, tally);
    }
    return tally;
  } finally {
    session.close();
  }
}
