import type { CommandSpec } from '../../command.ts';

export const auditShow: CommandSpec = {
  path: ['audit', 'show'],
  summary: 'show one event of the audit log with all its fields',
  arguments: [{ syntax: '<id>', text: 'event id, evt_…' }],
  gateway: 'as-person',
  examples: ['hoopctl audit show evt_01JD8M2K7QZX4T9B3N5V6W8Y0C'],
  exitCodes: [67, 69, 77],
  run: async (invocation) => (await import('../../audit/run-show.ts')).runShow(invocation),
};
