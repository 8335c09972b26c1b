import { AUDIT_FILTER_WORDS } from '../../../api/audit-filters.ts';
import type { CommandSpec, OptionSpec } from '../../command.ts';
import { LIMIT_TEXT } from '../../pages.ts';

/** Which events are meant: all that are given must match. */
export const AUDIT_FILTERS: readonly OptionSpec[] = [
  { flags: '--agent <name>', text: 'by this agent' },
  { flags: '--person <name>', text: 'by this person, an agent on their behalf, or decided by them' },
  { flags: '--model <name>', text: 'driven by this model' },
  { flags: '--resource <name>', text: 'on this resource' },
  { flags: '--object <name>', text: 'touching this object, such as public.customers or /orders/7' },
  { flags: '--table <name>', text: 'the same as --object' },
  { flags: '--action <name>', text: 'performing this action, such as sql.select' },
  {
    flags: '--decision <word>',
    text: 'allow, deny, hold or explained',
    choices: AUDIT_FILTER_WORDS.decision,
  },
  {
    flags: '--outcome <word>',
    text: 'success, failure or unknown',
    choices: AUDIT_FILTER_WORDS.outcome,
  },
  { flags: '--session <id>', text: 'of this session' },
  { flags: '--instance <id>', text: 'by this instance: one process of hoopctl' },
  { flags: '--run <id>', text: 'of this run of an agent or job, by any of its names' },
  { flags: '--approval <id>', text: 'the whole story of this request for approval' },
];

export const AUDIT_TIMES: readonly OptionSpec[] = [
  { flags: '--since <time>', text: 'from this moment on: 1h, 2026-01-31, or RFC 3339' },
  { flags: '--until <time>', text: 'before this moment' },
];

export const auditSearch: CommandSpec = {
  path: ['audit', 'search'],
  summary: 'search the audit log, newest first',
  description:
    'QUERY is free text over statements as they were shown, masked. All filters must match. With --json one event per ' +
    'line, with every field the gateway keeps except sealed originals.',
  arguments: [{ syntax: '[query...]', text: 'words to find' }],
  options: [
    ...AUDIT_FILTERS,
    {
      flags: '--type <type>',
      text: 'of this type, such as operation.decided, or approval.* for all of a kind',
    },
    ...AUDIT_TIMES,
    { flags: '--limit <n>', text: `at most so many events, ${LIMIT_TEXT}` },
  ],
  gateway: 'as-person',
  examples: [
    'hoopctl audit search --agent shop-copilot --decision deny --since 24h',
    'hoopctl audit search --run 9876543210',
    'hoopctl audit search --approval apr_01JD8M2K7QZX4T9B3N5V6W8Y0C',
    'hoopctl audit search customers --object public.customers --json',
  ],
  exitCodes: [67, 69, 77],
  run: async (invocation) => (await import('../../audit/run-search.ts')).runSearch(invocation),
};
