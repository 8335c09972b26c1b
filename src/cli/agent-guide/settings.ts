/**
 * Settings by which coding agents start `hoopctl mcp`, each in the form that its client reads.
 */

export interface ClientSettings {
  /** Where they belong, from the project's folder. */
  readonly file: string;
  /** What to know beside the file. */
  readonly remark: string;
  /** @param args Of hoopctl. Pure. */
  content(args: readonly string[]): string;
}

/** What the server is called in settings: clients name tools by it, as in `mcp__hoop__list_resources`. */
const SERVER = 'hoop';
const COMMAND = 'hoopctl';

const json = (value: object) => `${JSON.stringify(value, undefined, 2)}\n`;

/** By the word that names the client on the command line. */
export const CLIENT_SETTINGS: Readonly<Record<string, ClientSettings>> = {
  'claude-code': {
    file: '.mcp.json',
    remark: 'the project asks for its consent once; for yourself alone: claude mcp add hoop -- hoopctl mcp',
    content: (args) => json({ mcpServers: { [SERVER]: { type: 'stdio', command: COMMAND, args } } }),
  },
  cursor: {
    file: '.cursor/mcp.json',
    remark: 'for all projects: ~/.cursor/mcp.json',
    content: (args) => json({ mcpServers: { [SERVER]: { type: 'stdio', command: COMMAND, args } } }),
  },
  codex: {
    file: '.codex/config.toml',
    remark: 'read in projects that you trust; for all: ~/.codex/config.toml',
    // A basic string of TOML takes every escape that JSON writes.
    content: (args) =>
      `[mcp_servers.${SERVER}]\ncommand = ${JSON.stringify(COMMAND)}\nargs = [${args.map((arg) => JSON.stringify(arg)).join(', ')}]\n`,
  },
  vscode: {
    file: '.vscode/mcp.json',
    remark: 'start it once from that file, and trust it',
    content: (args) => json({ servers: { [SERVER]: { type: 'stdio', command: COMMAND, args } } }),
  },
  generic: {
    file: 'mcp.json',
    remark:
      'any client of the Model Context Protocol that starts a program: this command, these arguments, standard input and output',
    content: (args) => json({ mcpServers: { [SERVER]: { command: COMMAND, args } } }),
  },
};
