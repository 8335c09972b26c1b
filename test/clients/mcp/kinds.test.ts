/**
 * The same refusals as `psql` meets, told by a tool: an agent that has `hoopctl mcp` alone goes on by the word `next`, and does not where
 * that is lost on the way.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SITUATIONS } from '../../support/agent/kinds/index.ts';
import { KindsWorld } from '../../support/agent/kinds-world.ts';
import { deaf, type Program, type Told } from '../../support/agent/programs.ts';
import { ScriptedAgent } from '../../support/agent/scripted-agent.ts';
import { type Answer, McpAgent } from '../../support/mcp/agent.ts';

let world: KindsWorld;
let mcp: McpAgent;

beforeAll(async () => {
  world = await KindsWorld.start();
  mcp = await McpAgent.start(['--write'], world.stack.env());
});

afterAll(async () => {
  await mcp?.close();
  await world?.stop();
});

/** One statement of `pg`, by the tool for it. */
const tool: Program = {
  async run([sql = '']) {
    const { value, told } = await mcp.attempt('query_postgres', { resource: 'pg', sql });
    if (told !== undefined) return { code: 1, stdout: '', stderr: JSON.stringify(told) };
    const rows = (value.rows as Answer[][]).map((row) => row.join('|'));
    return { code: 0, stdout: rows.join('\n'), stderr: '' };
  },
  told({ code, stderr }) {
    if (code === 0) return undefined;
    const word = JSON.parse(stderr) as Partial<Told>;
    return word.next === undefined ? undefined : (word as Told);
  },
};

/** Those that are of one statement of `pg`, which the tool takes as it is: no COPY, and nothing of psql's own. */
const ALIKE = SITUATIONS.filter(([, , { by, at, refused, other }]) => {
  const [sql = '', ...more] = [...refused, ...other.slice(1)];
  return by === undefined && at === undefined && more.length === 0 && !/^COPY|;|^\\/.test(sql);
});

it('are most of those of one statement', () => expect(ALIKE.length).toBeGreaterThan(12));

describe('query_postgres is refused by', () => {
  it.each(ALIKE)(
    '%s: %s',
    async (kind, next, { refused, other, about = '', named = kind, shows, leaves }) => {
      const left = async () => (leaves === undefined ? '' : await world.look(leaves));
      const ways = [refused, { args: other, about }] as const;
      await expect(new ScriptedAgent(deaf(tool), {}).work(...ways)).rejects.toThrow(/that is no refusal/);
      expect(await left()).toBe(leaves?.before ?? '');
      const agent = new ScriptedAgent(tool, {});
      const report = await agent.work(...ways);
      expect(agent.refusals).toMatchObject([{ rule: named, next, retryable: false }]);
      if (next === 'report') {
        expect(report.done).toBe(false);
        expect(await new ScriptedAgent(tool, {}).work(other)).toMatchObject({ done: true });
      } else if (shows !== undefined) {
        const output = report.done ? report.output : JSON.stringify(report.told);
        expect(output).toMatch(shows);
      }
      expect(await left()).toBe(leaves?.after ?? '');
    },
  );
});
