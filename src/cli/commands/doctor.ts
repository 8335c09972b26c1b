import type { CommandSpec } from '../command.ts';

export const doctor: CommandSpec = {
  path: ['doctor'],
  summary: 'check settings, network, TLS, clock, login and keychain, and say what to do',
  description: 'Prints one line per check. The exit code is that of the first check that failed.',
  gateway: 'as-agent',
  examples: ['hoopctl doctor', 'hoopctl doctor --gateway https://hoop.example.com --json'],
  exitCodes: [67, 69, 77, 78],
  run: async (invocation) => (await import('../doctor/run-doctor.ts')).runDoctor(invocation),
};
