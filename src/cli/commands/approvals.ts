import { ATTENUATION_OPTIONS } from '../attenuation.ts';
import type { CommandSpec } from '../command.ts';
import { CLIENTS } from '../connect/clients/index.ts';
import { OPERATION_OPTIONS } from '../operation-options.ts';
import { LIMIT_TEXT } from '../pages.ts';

const ID = 'apr_01JD8M2K7QZX4T9B3N5V6W8Y0C';

export const approvalList: CommandSpec = {
  path: ['approval', 'list'],
  summary: 'list what waits for approval: what you asked for, and what you may decide',
  options: [
    {
      flags: '--status <word>',
      text: 'pending (default), approved, denied, expired, cancelled, failed, or all',
      choices: ['pending', 'approved', 'denied', 'expired', 'cancelled', 'failed', 'all'],
    },
    { flags: '--limit <n>', text: `at most so many, ${LIMIT_TEXT}` },
  ],
  gateway: 'as-person',
  examples: [
    'hoopctl approval list',
    'hoopctl approval list --status denied --limit 10',
    "hoopctl approval list --status all --json | jq -r '.id'",
  ],
  exitCodes: [67, 69, 77],
  run: async (invocation) => (await import('../approval/run-look.ts')).runList(invocation),
};

export const approvalRequest: CommandSpec = {
  path: ['approval', 'request'],
  summary: 'ask ahead for one operation, or for a connection, and run nothing',
  description:
    'The same again finds the same request. Exit code: 0 approved, or no approval is needed; 77 denied; 75 it waits. ' +
    'Without -c and -f the connection is asked for. What is approved runs once, with hoopctl connect --approval ID, ' +
    'sent exactly as it was asked, with its parameters as text.',
  arguments: [{ syntax: '<resource>', text: 'as hoopctl resource list names them' }],
  options: [
    ...OPERATION_OPTIONS,
    { flags: '--reason <text>', text: 'why, for approvers and the audit' },
    {
      flags: '--wait [duration]',
      text: 'until it is decided, or so long: 90s, 30m (default: as long as it holds)',
    },
    {
      flags: '--idempotency-key <key>',
      text: 'the same again under it is the same request, also when that is over; something else is refused',
    },
    {
      flags: '--approval <id>',
      text: 'to be used together with what was asked before, apr_…: as the same instance',
    },
    ...ATTENUATION_OPTIONS,
  ],
  gateway: 'as-agent',
  examples: [...CLIENTS.map(({ help }) => help.examples.ask)],
  exitCodes: [67, 69, 75, 77],
  run: async (invocation) => (await import('../approval/run-request.ts')).runRequest(invocation),
};

export const approvalShow: CommandSpec = {
  path: ['approval', 'show'],
  summary: 'show one request for approval: who asks, exactly for what, and what a yes would do',
  description:
    'Those who may decide it see exactly what was asked, while it is undecided; that they looked is on record. With ' +
    '--wait the exit code says what became of it: 0 approved, 77 denied, 75 expired or still undecided.',
  arguments: [{ syntax: '<id>', text: 'request, apr_…' }],
  options: [
    {
      flags: '--wait [duration]',
      text: 'until it is decided, or so long: 90s, 30m (default: as long as it holds)',
    },
  ],
  gateway: 'as-person',
  examples: [`hoopctl approval show ${ID}`, `hoopctl approval show ${ID} --wait=10m && ./migrate.sh`],
  exitCodes: [67, 69, 75, 77],
  run: async (invocation) => (await import('../approval/run-look.ts')).runShow(invocation),
};

export const approvalTry: CommandSpec = {
  path: ['approval', 'try'],
  summary: 'count and show what a request would change: do it, and undo it',
  description:
    'For those who may decide it. The operation is done as it would be and undone at once; nothing of it remains, or it is ' +
    'not tried. Counted is all that changes, by triggers and foreign keys as well; of the ' +
    'first rows you see what a query of your own would show you. It holds its locks for at most two and a half ' +
    'seconds, is on record, and wants a sign-in that is fresh.',
  arguments: [{ syntax: '<id>', text: 'request, apr_…' }],
  gateway: 'as-person',
  examples: [`hoopctl approval try ${ID}`, `hoopctl approval try ${ID} --json | jq .changes`],
  exitCodes: [67, 69, 76, 77],
  run: async (invocation) => (await import('../approval/run-try.ts')).runTry(invocation),
};

export const approvalApprove: CommandSpec = {
  path: ['approval', 'approve'],
  summary: 'say yes to exactly what is shown',
  description:
    'Shows each request and asks, on a terminal; elsewhere, and with --json, it needs --yes. The yes is for what was ' +
    'shown: what differs in anything is asked again. It wants a sign-in that is fresh.',
  arguments: [{ syntax: '<id...>', text: 'requests, apr_…' }],
  options: [
    { flags: '--yes', text: 'do not ask' },
    {
      flags: '--binding <sha256>',
      text: 'only if the request is the one with this binding, as show prints it',
    },
  ],
  gateway: 'as-person',
  examples: [`hoopctl approval approve ${ID}`, `hoopctl approval approve ${ID} --yes --json`],
  exitCodes: [67, 69, 75, 76, 77],
  run: async (invocation) => (await import('../approval/run-decide.ts')).runApprove(invocation),
};

export const approvalDeny: CommandSpec = {
  path: ['approval', 'deny'],
  summary: 'say no, with a reason that reaches the one who asked',
  arguments: [{ syntax: '<id>', text: 'request, apr_…' }],
  options: [{ flags: '--reason <text>', text: 'why, and what to do instead; at most 500 characters' }],
  gateway: 'as-person',
  examples: [`hoopctl approval deny ${ID} --reason "use the archive table"`],
  exitCodes: [67, 69, 77],
  run: async (invocation) => (await import('../approval/run-decide.ts')).runDeny(invocation),
};

export const approvalCancel: CommandSpec = {
  path: ['approval', 'cancel'],
  summary: 'take back what you asked for, or what your agent did',
  arguments: [{ syntax: '<id>', text: 'request, apr_…' }],
  gateway: 'as-person',
  examples: [`hoopctl approval cancel ${ID}`],
  exitCodes: [67, 69, 77],
  run: async (invocation) => (await import('../approval/run-decide.ts')).runCancel(invocation),
};

export const approvalWatch: CommandSpec = {
  path: ['approval', 'watch'],
  summary: 'print what waits for approval, and each change as it comes, until Ctrl-C',
  gateway: 'as-person',
  examples: ['hoopctl approval watch', 'hoopctl approval watch --json | ./to-the-chat.sh'],
  exitCodes: [67, 69, 77],
  run: async (invocation) => (await import('../approval/run-watch.ts')).runWatch(invocation),
};
