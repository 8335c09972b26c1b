import type { CommandSpec } from '../../command.ts';

export const auditExport: CommandSpec = {
  path: ['audit', 'export'],
  summary: 'download the audit log as it is stored, chain by chain',
  description: 'Lines are written octet for octet, so that audit verify works on them offline.',
  options: [
    { flags: '--output <directory>', text: 'one file per chain there; without it all chains go to stdout' },
  ],
  gateway: 'as-person',
  examples: ['hoopctl audit export --output ./export', 'hoopctl audit export | grep -c \'"event":\''],
  exitCodes: [67, 69, 77],
  run: async (invocation) => (await import('../../audit/run-export.ts')).runExport(invocation),
};
