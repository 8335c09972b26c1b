import { ATTENUATION_OPTIONS } from '../attenuation.ts';
import type { CommandSpec } from '../command.ts';

export const ui: CommandSpec = {
  path: ['ui'],
  summary: 'look around in the terminal: resources and tunnels, live operations, approvals, sessions',
  description:
    'What hoopctl does on a terminal without a command. It decides nothing before it is told to (W), and tunnels that are opened in it ' +
    'end with it. ? shows every key.',
  options: [
    {
      flags: '--mouse',
      text: 'begin with the mouse on: its wheel scrolls, a click chooses; m turns it off and on',
    },
    ...ATTENUATION_OPTIONS,
  ],
  gateway: 'as-agent',
  examples: ['hoopctl ui', 'hoopctl ui --profile production'],
  exitCodes: [],
  run: async (invocation) => (await import('../ui/run-ui.ts')).runUi(invocation),
};
