import type { CommandSpec } from '../../command.ts';

export const auditSummary: CommandSpec = {
  path: ['audit', 'summary'],
  summary: 'sum up what a run read, changed, had masked and was refused, as Markdown',
  description:
    'Of the events of one run that you may see; for the page of a job, such as $GITHUB_STEP_SUMMARY. What strangers wrote ' +
    'stands in code spans. hoopctl run --summary FILE appends the same when the command has ended.',
  options: [{ flags: '--run <id>', text: 'which, by any of its names (default HOOP_RUN_ID)' }],
  gateway: 'as-person',
  examples: ['hoopctl audit summary --run "$GITHUB_RUN_ID" >> "$GITHUB_STEP_SUMMARY"'],
  exitCodes: [67, 69, 77],
  run: async (invocation) => (await import('../../audit/run-summary.ts')).runSummary(invocation),
};
