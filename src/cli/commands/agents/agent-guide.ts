import type { CommandSpec } from '../../command.ts';
import { MCP_OPTIONS } from './mcp.ts';

export const agentGuide: CommandSpec = {
  path: ['agent-guide'],
  summary: 'print what an agent should know, or settings that start hoopctl mcp in a client',
  description:
    'Without CLIENT a text for AGENTS.md or whatever your agent reads at its start. With it settings for claude-code, cursor, codex, ' +
    'vscode, or generic: their file is named on standard error. Options are handed on to hoopctl mcp. No file is written and no ' +
    'gateway asked.',
  arguments: [
    {
      syntax: '[client]',
      text: 'claude-code, cursor, codex, vscode or generic',
      choices: ['claude-code', 'codex', 'cursor', 'generic', 'vscode'],
    },
  ],
  options: MCP_OPTIONS,
  gateway: 'as-agent',
  examples: [
    'hoopctl agent-guide >> AGENTS.md',
    'hoopctl agent-guide claude-code > .mcp.json',
    'hoopctl agent-guide codex --agent shop-copilot --only pg-prod',
  ],
  exitCodes: [],
  run: async (invocation) => (await import('../../agent-guide/run-agent-guide.ts')).runAgentGuide(invocation),
};
