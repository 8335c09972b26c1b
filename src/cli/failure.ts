/**
 * How a failed command ends: one line and hints, or one JSON object, on stderr; and its exit code.
 */
import { type HoopError, isHoopError, toHoopError } from '../core/errors.ts';
import { visible } from './render/text.ts';
import { Interrupted } from './signals.ts';

const EXIT_BROKEN_PIPE = 141;

/**
 * Says what went wrong.
 *
 * @returns What to print on stderr, empty if nothing is to be said (Ctrl-C, a reader that left), and the exit code.
 */
export function describeFailure(
  error: unknown,
  json: boolean,
): { readonly text: string; readonly exitCode: number } {
  if (error instanceof Interrupted) return { text: '', exitCode: error.exitCode };
  if (error instanceof Error && 'code' in error && error.code === 'EPIPE')
    return { text: '', exitCode: EXIT_BROKEN_PIPE };
  const known = isHoopError(error) ? error : toHoopError(error);
  const text = json ? `${JSON.stringify(toJson(known))}\n` : toLines(known);
  return { text, exitCode: known.exitCode };
}

function toLines(error: HoopError): string {
  const message = `hoopctl: ${visible(error.message)}${error.code === 'ERR_INTERNAL' ? `: ${visible(error.detail ?? '')}` : ''}\n`;
  return error.hint === undefined ? message : `${message}hint: ${visible(error.hint)}\n`;
}

function toJson({ code, message, hint }: HoopError): object {
  return { schemaVersion: 1, error: { code, message, ...(hint === undefined ? {} : { hint }) } };
}
