import type { CommandSpec } from '../command.ts';

export const logout: CommandSpec = {
  path: ['logout'],
  summary: 'end the login of a profile, at the gateway, at the identity provider and here',
  gateway: 'as-person',
  examples: ['hoopctl logout', 'hoopctl logout --profile staging'],
  exitCodes: [78],
  run: async (invocation) => (await import('../login/run-logout.ts')).runLogout(invocation),
};
