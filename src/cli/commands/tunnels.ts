import type { CommandSpec } from '../command.ts';

export const tunnelList: CommandSpec = {
  path: ['tunnel', 'list'],
  summary: 'list the tunnels in the background',
  description: 'Those of hoopctl connect --background, of this user, on this machine. No gateway is asked.',
  options: [{ flags: '--all', text: 'also those that ended within a day, and why' }],
  gateway: 'none',
  examples: ['hoopctl tunnel list', 'hoopctl tunnel list --all --json'],
  exitCodes: [78],
  run: async (invocation) => (await import('../tunnel/run-tunnels.ts')).runList(invocation),
};

export const tunnelClose: CommandSpec = {
  path: ['tunnel', 'close'],
  summary: 'end tunnels in the background, and every connection through them',
  arguments: [{ syntax: '[name...]', text: 'ids, or resources: every tunnel that reaches one' }],
  options: [{ flags: '--all', text: 'all of them' }],
  gateway: 'none',
  examples: ['hoopctl tunnel close rrefppar', 'hoopctl tunnel close --all'],
  exitCodes: [78],
  run: async (invocation) => (await import('../tunnel/run-tunnels.ts')).runClose(invocation),
};

export const tunnelLogs: CommandSpec = {
  path: ['tunnel', 'logs'],
  summary: 'show what a tunnel in the background has said, and why it ended',
  arguments: [{ syntax: '<name>', text: 'an id, or a resource' }],
  gateway: 'none',
  examples: ['hoopctl tunnel logs rrefppar'],
  exitCodes: [78],
  run: async (invocation) => (await import('../tunnel/run-tunnels.ts')).runLogs(invocation),
};
