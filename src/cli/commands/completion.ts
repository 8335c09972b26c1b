import type { CommandSpec } from '../command.ts';

export const completion: CommandSpec = {
  path: ['completion'],
  summary: 'print a script that completes hoopctl in bash, zsh or fish',
  description:
    'It knows the commands and options of this version, and the resources, sessions, requests and profiles that hoopctl ' +
    'has listed last. It asks nobody.',
  arguments: [{ syntax: '<shell>', text: 'bash, zsh or fish', choices: ['bash', 'fish', 'zsh'] }],
  gateway: 'none',
  examples: [
    'source <(hoopctl completion bash)',
    'hoopctl completion fish > ~/.config/fish/completions/hoopctl.fish',
  ],
  exitCodes: [],
  run: async (invocation) => (await import('../completion/run-completion.ts')).runCompletion(invocation),
};
