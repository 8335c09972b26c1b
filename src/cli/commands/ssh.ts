import { ATTENUATION_OPTIONS } from '../attenuation.ts';
import type { CommandSpec } from '../command.ts';
import { SESSION_OPTIONS } from './connect.ts';

export const ssh: CommandSpec = {
  path: ['ssh'],
  summary: 'a shell on a host, or one command there',
  description:
    "Opens a tunnel and runs this machine's own ssh in it. What stands behind -- goes to the host as ssh sends it: words " +
    'are joined by blanks, and its shell reads them. A shell gets a terminal where there is one, a command only by --tty.',
  arguments: [{ syntax: '<host>', text: 'as hoopctl resource list names it' }],
  options: [
    { flags: '--host <name>', text: 'which host, where the resource stands for many' },
    { flags: '--tty', text: 'ask for a terminal: for a command that draws, or although there is none here' },
    { flags: '--no-tty', text: 'ask for no terminal' },
    ...SESSION_OPTIONS,
    ...ATTENUATION_OPTIONS,
  ],
  gateway: 'as-agent',
  takesCommand: true,
  examples: ['hoopctl ssh host-1', 'hoopctl ssh host-1 -- systemctl status shop'],
  exitCodes: [67, 69, 75, 77],
  run: async (invocation) => (await import('../ssh/run-ssh.ts')).runSsh(invocation),
};
