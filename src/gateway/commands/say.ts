/**
 * How hoopd's commands speak to people: the answer on standard output, everything else on standard error. On a terminal lines are broken
 * at blanks.
 */
import { charsetOf, worded } from '../../core/terminal/charset.ts';
import { columnsOf, wrapped } from '../../core/terminal/prose.ts';

/** Of what goes on. */
const INDENT = 2;

/** Lines of the answer. What must stay as it is, to be read by programs or pasted, is written as it is. */
export function say(...lines: readonly string[]): void {
  const width = columnsOf(process.stdout, process.env);
  process.stdout.write(`${wrapped(worded(lines.join('\n'), charsetOf(process.env)), width, INDENT)}\n`);
}

/** Lines beside the answer. */
export function tell(...lines: readonly string[]): void {
  const width = columnsOf(process.stderr, process.env);
  process.stderr.write(`${wrapped(worded(lines.join('\n'), charsetOf(process.env)), width, INDENT)}\n`);
}
