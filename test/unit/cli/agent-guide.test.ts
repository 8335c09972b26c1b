import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { GUIDE } from '../../../src/cli/agent-guide/guide.ts';
import { serverArguments } from '../../../src/cli/agent-guide/run-agent-guide.ts';
import { CLIENT_SETTINGS } from '../../../src/cli/agent-guide/settings.ts';
import { TOOLS } from '../../../src/cli/mcp/tools/index.ts';
import { NEXT_STEPS } from '../../../src/core/next-step.ts';
import { agentPage } from '../../support/refusal-table.ts';
import { ROOT } from '../../support/source-tree.ts';

const ARGS = ['mcp', '--only', 'pg-prod,"x"\\'];

describe('settings', () => {
  it.each(['claude-code', 'cursor', 'generic'])('of %s name the command under mcpServers', (client) => {
    const { mcpServers } = JSON.parse(CLIENT_SETTINGS[client]!.content(ARGS));
    expect(mcpServers.hoop).toMatchObject({ command: 'hoopctl', args: ARGS });
  });

  it('of vscode name it under servers, with its type', () => {
    const { servers } = JSON.parse(CLIENT_SETTINGS['vscode']!.content(ARGS));
    expect(servers.hoop).toEqual({ type: 'stdio', command: 'hoopctl', args: ARGS });
  });

  it('of codex are a table of TOML, every word in quotes', () => {
    expect(CLIENT_SETTINGS['codex']!.content(ARGS)).toBe(
      '[mcp_servers.hoop]\ncommand = "hoopctl"\nargs = ["mcp", "--only", "pg-prod,\\"x\\"\\\\"]\n',
    );
  });
});

it('options are handed on as they were given', () => {
  const options = { write: true, profile: 'work', modelVersion: '2', json: true };
  expect(serverArguments({ options })).toEqual([
    'mcp',
    '--write',
    '--profile',
    'work',
    '--model-version',
    '2',
  ]);
});

it('the guide says of each step what the pages for agents say', () => {
  for (const [next, { act }] of Object.entries(NEXT_STEPS)) {
    expect(GUIDE).toContain(`- \`${next}\`: ${act}`);
    expect(agentPage()).toContain(`| ${act} |`);
  }
  expect(readFileSync(join(ROOT, 'docs/tutorials/agent.md'), 'utf8')).toBe(agentPage());
});

it('the guide names tools that there are', () => {
  const named = [...GUIDE.matchAll(/`([a-z]+_[a-z_]+)`/g)].map(([, name]) => name);
  expect(named.length).toBeGreaterThan(3);
  const known = TOOLS.map(({ name }) => name);
  for (const name of named) expect([...known, 'retryable']).toContain(name);
});
