import type { OptionSpec } from './command.ts';

/** By which one operation is given that is not run. */
export const OPERATION_OPTIONS: readonly OptionSpec[] = [
  { flags: '-c, --command <text>', text: 'what is to run, as a client sends it' },
  { flags: '-f, --file <path>', text: 'the same from a file; - is standard input' },
  { flags: '--param <value...>', text: 'values of $1, $2, …, as text' },
  { flags: '--host <name>', text: 'which host, where the resource stands for many' },
];
