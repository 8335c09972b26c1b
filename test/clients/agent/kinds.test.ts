/**
 * Each kind of refusal, met by a real program before a real target: by what it says alone the agent comes to the end of its task, or
 * reports. Beside each one what shows that the case is alive: what was refused has done nothing, an agent that is not told the step
 * does not recover, and where it reports, the other way that it did not go would have led there.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SITUATIONS } from '../../support/agent/kinds/index.ts';
import type { Situation } from '../../support/agent/kinds/kind.ts';
import { KindsWorld } from '../../support/agent/kinds-world.ts';
import { curl, deaf, psql, ssh } from '../../support/agent/programs.ts';
import { type Report, ScriptedAgent } from '../../support/agent/scripted-agent.ts';

let world: KindsWorld;

beforeAll(async () => {
  world = await KindsWorld.start();
});

afterAll(() => world?.stop());

const placeOf = ({ by, at }: Situation): string => at ?? (by === curl ? 'api' : by === ssh ? 'host' : 'pg');

/** What there is of the effect now; where it is what is printed, nothing. */
const left = async ({ leaves }: Situation) => (leaves === undefined ? '' : await world.look(leaves));
const untouched = ({ leaves }: Situation) => leaves?.before ?? '';

function expectShown(report: Report, { shows }: Situation): void {
  const output = report.done ? report.output.replace(/\n\d+ \S*$/, '').trim() : JSON.stringify(report.told);
  if (typeof shows === 'string') expect(output).toBe(shows);
  else expect(output).toMatch(shows ?? /^/);
}

describe('a refusal by', () => {
  it.each(SITUATIONS)('%s: %s', async (kind, next, situation) => {
    world.heard.length = 0;
    const {
      by: program = psql,
      refused,
      other,
      about = '',
      named = kind,
      otherAt = placeOf(situation),
    } = situation;
    const tunnel = await world.tunnel(placeOf(situation));
    const env = world.env(tunnel);
    const ways = [world.words(refused, tunnel), { args: world.words(other, tunnel), about }] as const;

    // It is refused, and nothing has come of it.
    expect(await left(situation)).toBe(untouched(situation));
    const ended = await program.run(ways[0], env);
    expect(program.told(ended)).toMatchObject({ rule: named, next, retryable: false });
    expect(await left(situation)).toBe(untouched(situation));

    // Whoever is not told the step does not recover.
    const lost = new ScriptedAgent(deaf(program), env);
    await expect(lost.work(...ways)).rejects.toThrow(/that is no refusal/);
    expect(await left(situation)).toBe(untouched(situation));

    const agent = new ScriptedAgent(program, env);
    const report = await agent.work(...ways);
    expect(agent.refusals).toHaveLength(1);
    if (next === 'report') {
      expect(report).toMatchObject({ done: false, told: { rule: named } });
      expect(await left(situation)).toBe(untouched(situation));
      const there = await world.tunnel(otherAt);
      const alone = new ScriptedAgent(program, world.env(there));
      expect(await alone.work(world.words(other, there))).toMatchObject({ done: true });
      return;
    }
    expectShown(report, situation);
    expect(await left(situation)).toBe(situation.leaves?.after ?? '');
  });
});
