import { ATTENUATION_OPTIONS } from '../attenuation.ts';
import type { CommandSpec, OptionSpec } from '../command.ts';
import { CLIENTS } from '../connect/clients/index.ts';

/** Of whatever opens a tunnel: why, for how long, and with whose yes. */
export const SESSION_OPTIONS: readonly OptionSpec[] = [
  { flags: '--reason <text>', text: 'why, for approvers and the audit' },
  {
    flags: '--wait [duration]',
    text: 'if a connection needs an approval, ask for it and wait: at most so long, or as long as the request stands',
  },
  {
    flags: '--approval <id>',
    text: 'use what was asked ahead, apr_…: go on as the instance that asked with hoopctl approval request',
  },
  { flags: '--ttl <duration>', text: 'end at the latest after so long: 90s, 30m, 8h' },
];

const HELP = CLIENTS.map(({ help }) => help);

export const connect: CommandSpec = {
  path: ['connect'],
  summary: 'open a tunnel to one or more resources, for any client or for one command',
  description:
    'Without -- COMMAND it stays until Ctrl-C, or until the process that started it ends. With it, the command gets ' +
    `what its tools expect (${HELP.map(({ variables }) => variables).join('; ')} for the first ` +
    'resource, PG_PROD_URL for each by its name) and the tunnel ends with it. The password guards the local port and ' +
    `is of no use elsewhere; an owner-only socket needs none. ${HELP.map(({ remark }) => remark).join(' ')}`,
  arguments: [{ syntax: '<resource...>', text: 'as hoopctl resource list names them' }],
  options: [
    {
      flags: '--port <n>',
      text: 'local port on 127.0.0.1 (default 0: any free one), one more for each further resource; with --socket the number in its name',
    },
    {
      flags: '--socket <directory>',
      text: `owner-only socket in this directory: ${HELP.flatMap(({ socket }) => socket ?? []).join(', ')}`,
    },
    { flags: '--env <name>', text: 'give COMMAND the URL of the first resource in this variable too' },
    {
      flags: '--bearer',
      text: 'give the secret apart from the URL, as API_PROD_TOKEN, for clients that want a bearer token',
    },
    {
      flags: '--tls',
      text: 'speak TLS at the local port too, for clients that insist on https: COMMAND gets what makes them trust it',
    },
    { flags: '--host <name>', text: 'which host, where the resource stands for many' },
    { flags: '--stdio', text: 'one stream on standard input and output' },
    {
      flags: '--keep',
      text: 'stay when the process that started it ends, or its terminal closes; SIGTERM or the deadline ends it',
    },
    {
      flags: '--background',
      text: 'leave when it is ready: the tunnel stays as a process of its own, which hoopctl tunnel lists and closes',
    },
    ...SESSION_OPTIONS,
    ...ATTENUATION_OPTIONS,
  ],
  gateway: 'as-agent',
  takesCommand: true,
  examples: [
    ...HELP.map(({ examples }) => examples.command),
    'hoopctl connect pg-prod --reason "ticket 4711" --ttl 30m -- ./migrate.sh',
    'hoopctl connect pg-prod --read-only --only sql.select -- ./agent.sh',
    'hoopctl connect pg-prod --wait=15m --reason "ticket 4711" -- ./migrate.sh',
    'hoopctl connect pg-prod pg-audit --port 15432',
    ...HELP.map(({ examples }) => examples.socket),
  ],
  exitCodes: [67, 69, 75, 77],
  run: async (invocation) =>
    invocation.options['background'] === true
      ? (await import('../tunnel/background.ts')).runBackground(invocation)
      : (await import('../connect/run-connect.ts')).runConnect(invocation),
};
