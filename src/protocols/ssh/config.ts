import { z } from 'zod';
import { expected, section, text } from '../../core/config/shape.ts';
import { sessionTimes } from '../session-times.ts';
import { sshCredentialsConfig } from './credentials/config.ts';
import { sshTargetConfig } from './target/config.ts';

/** Variables that a client may set where nothing else is configured: none of them makes a program of something. */
const HARMLESS_VARIABLES = ['LANG', 'LC_*', 'TERM', 'COLORTERM'];

/** The shape of an SSH resource. @param base Directory that relative paths start from. */
export function sshConfig(base: string) {
  return section(
    {
      protocol: z.literal('ssh', expected('ssh', 'write protocol: ssh')),
      target: sshTargetConfig(),
      credentials: sshCredentialsConfig(base),
      session: section(
        { ...sessionTimes(), variables: variables(), listens: listens() },
        'write {max: 8h, idle: 30m, variables: [LANG]}',
      ).prefault({}),
    },
    'write protocol: ssh, target: {…}, credentials: {…}',
  );
}

/** As read: paths absolute, durations in milliseconds, secrets still references. */
export type SshConfig = z.output<ReturnType<typeof sshConfig>>;

function variables() {
  const list = expected('a list of variables', 'write [LANG, LC_*]');
  const one = text(
    'a variable',
    'write LANG, or LC_* for all that begin so',
    /^[A-Za-z_][A-Za-z0-9_]{0,63}\*?$/,
  );
  return z
    .array(one, list)
    .max(64, list)
    .default(HARMLESS_VARIABLES)
    .describe('Variables that clients may set; others are left away.');
}

function listens() {
  return z
    .enum(['loopback', 'any'], expected('loopback or any', 'write loopback, or leave it out'))
    .optional()
    .describe('Where hosts may listen for clients whom policy permits ssh.forward-remote; absent: nowhere.');
}

/** Whether a variable is one of those in the list. Pure. */
export function variableFilter(list: readonly string[]): (name: string) => boolean {
  const names = new Set(list.filter((one) => !one.endsWith('*')));
  const beginnings = list.filter((one) => one.endsWith('*')).map((one) => one.slice(0, -1));
  return (name) =>
    /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) &&
    (names.has(name) || beginnings.some((beginning) => name.startsWith(beginning)));
}
