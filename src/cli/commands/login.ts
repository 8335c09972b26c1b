import type { CommandSpec } from '../command.ts';

export const login: CommandSpec = {
  path: ['login'],
  summary: 'log in to a gateway with a code and a browser (any browser, on any machine)',
  description:
    'Makes or updates a profile: the gateway, its CA and the agent are remembered, the login is kept in the system ' +
    'keychain or an owner-only encrypted file. CI jobs need no login: they set HOOPCTL_TOKEN, HOOPCTL_TOKEN_FILE or HOOPCTL_CLIENT_ID. ' +
    'With --json, one line with the code and one when it is done.',
  options: [{ flags: '--issuer <url>', text: 'identity provider, where the gateway offers several' }],
  gateway: 'as-agent',
  examples: [
    'hoopctl login --gateway https://hoop.example.com:7443 --agent shop-copilot --model planner-2',
    'hoopctl login --profile staging --gateway https://hoop.staging.example.com --ca ./ca.pem',
  ],
  exitCodes: [67, 69, 77, 78],
  run: async (invocation) => (await import('../login/run-login.ts')).runLogin(invocation),
};
