import type { CommandSpec } from '../command.ts';

export const sshConfig: CommandSpec = {
  path: ['ssh-config'],
  summary:
    'print what ~/.ssh/config needs so that ssh, scp, rsync, git and Ansible reach hosts by their names',
  description:
    'Each host gets a ProxyCommand that opens a tunnel when somebody connects, and the key by which the gateway is known. ' +
    'Nothing is written: hoopctl ssh-config > ~/.ssh/hoop, and Include hoop in ~/.ssh/config.',
  arguments: [
    { syntax: '[host...]', text: 'as hoopctl resource list names them (default: all that speak SSH)' },
  ],
  gateway: 'as-agent',
  examples: ['hoopctl ssh-config', 'hoopctl ssh-config host-1 > ~/.ssh/hoop'],
  exitCodes: [67, 69, 77],
  run: async (invocation) => (await import('../ssh/run-ssh-config.ts')).runSshConfig(invocation),
};
