import type { CommandSpec } from '../../command.ts';

export const auditVerify: CommandSpec = {
  path: ['audit', 'verify'],
  summary: 'prove that no line of the audit log was changed, removed or reordered',
  description:
    'Recomputes every hash and checks every signature on this machine. With DIRECTORY, of exported chains or of the ' +
    "gateway's own folder, nothing is asked of a gateway. What follows a chain's last signed checkpoint is only known " +
    'to be in order: cutting it off cannot be proven without what was exported before (--against). Prints the first bad line.',
  arguments: [{ syntax: '[directory]', text: 'verify these files; without it the chains are downloaded' }],
  options: [
    {
      flags: '--key <key...>',
      text: 'public keys that may have signed, base64url; without it any key is taken',
    },
    {
      flags: '--against <directory>',
      text: 'an earlier export: all that it has must be there still, as it was',
    },
  ],
  gateway: 'as-person',
  examples: [
    'hoopctl audit verify',
    'hoopctl audit verify ./export --key 11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo',
    'hoopctl audit verify ./december --against ./november',
  ],
  exitCodes: [67, 69, 76, 77],
  run: async (invocation) => (await import('../../audit/run-verify.ts')).runVerify(invocation),
};
