import { ATTENUATION_OPTIONS } from '../attenuation.ts';
import type { CommandSpec } from '../command.ts';

export const run: CommandSpec = {
  path: ['run'],
  summary: 'run a command with everything that it may reach',
  description:
    'Each resource has a local end at once, and a session when a client connects. The command finds them as with hoopctl ' +
    'connect, the name of its run in HOOP_RUN_ID, and in HOOP_BRIEF the path of a file that says, for an agent, what it may ' +
    'reach, what is masked, and whom to ask. With --sandbox it has no other network (Linux, with bubblewrap, or util-linux and iproute2).',
  options: [
    { flags: '--sandbox', text: 'nothing else on the network: only the tunnels, at 127.0.0.1' },
    {
      flags: '--summary <file>',
      text: 'when it has ended, append to this file what it did, as Markdown',
      whenEmpty: 'is the variable set that was to name it? GITHUB_STEP_SUMMARY is, in jobs of GitHub alone',
    },
    { flags: '--reason <text>', text: 'why, for approvers and the audit' },
    { flags: '--ttl <duration>', text: 'end at the latest after so long: 90s, 30m, 8h' },
    ...ATTENUATION_OPTIONS,
  ],
  gateway: 'as-agent',
  takesCommand: true,
  examples: [
    'hoopctl run -- ./agent.sh',
    'hoopctl run --sandbox --read-only -- ./agent.sh',
    'hoopctl run --summary "$GITHUB_STEP_SUMMARY" -- ./agent.sh',
  ],
  exitCodes: [67, 69, 77, 78],
  run: async (invocation) => (await import('../run/run-command.ts')).runCommand(invocation),
};
