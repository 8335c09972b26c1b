import { ONLY_OPTION } from '../../attenuation.ts';
import type { CommandSpec, OptionSpec } from '../../command.ts';

/** What the server may do; handed on by whoever writes settings that start it. */
export const MCP_OPTIONS: readonly OptionSpec[] = [
  { flags: '--write', text: 'keep the rights that write: policy still decides, operation by operation' },
  ONLY_OPTION,
];

export const mcp: CommandSpec = {
  path: ['mcp'],
  summary: 'serve the Model Context Protocol on standard input and output, for an AI agent',
  description:
    'An agent gets tools: list resources, describe a schema, query, request, read a cluster, ask for approvals, have policy explained, ' +
    'search its audit events. All of it goes through the tunnels of hoopctl connect, without a local port. Its instance gives up ' +
    'everything that writes unless --write is given; policy decides in either case. It ends with its standard input.',
  options: MCP_OPTIONS,
  gateway: 'as-agent',
  examples: [
    'hoopctl mcp',
    'hoopctl mcp --only pg-prod,sql.select',
    'hoopctl mcp --write --agent shop-copilot --model planner-2',
  ],
  exitCodes: [],
  run: async (invocation) => (await import('../../mcp/run-mcp.ts')).runMcp(invocation),
};
