/**
 * How a failed command ends: one line and hints, or one JSON object, on stderr; and its exit code.
 */
import { HoopError, isHoopError, toHoopError } from '../core/errors.ts';
import { type Charset, worded } from '../core/terminal/charset.ts';
import { wrapped } from '../core/terminal/prose.ts';
import { NOTE_INDENT } from './io.ts';
import { visible } from './render/text.ts';
import { Interrupted } from './signals.ts';

const EXIT_BROKEN_PIPE = 141;

/** How it is told. */
export interface FailureForm {
  readonly json: boolean;
  /** Columns of the terminal that it is told on; infinity, and by default: it is none. */
  readonly width?: number;
  /** What the terminal shows; a log, and by default: UTF-8. */
  readonly charset?: Charset;
}

/**
 * Says what went wrong.
 *
 * @param profile The one that was chosen, if any: whoever is told to log in is told to do it there.
 * @returns What to print on stderr, empty if nothing is to be said (Ctrl-C, a reader that left), and the exit code.
 */
export function describeFailure(
  error: unknown,
  { json, width = Number.POSITIVE_INFINITY, charset = 'utf-8' }: FailureForm,
  profile?: string,
): { readonly text: string; readonly exitCode: number } {
  if (error instanceof Interrupted) return { text: '', exitCode: error.exitCode };
  if (error instanceof Error && 'code' in error && error.code === 'EPIPE')
    return { text: '', exitCode: EXIT_BROKEN_PIPE };
  const known = inProfile(isHoopError(error) ? error : toHoopError(error), profile);
  const text = json ? `${JSON.stringify(toJson(known))}\n` : toLines(known, width, charset);
  return { text, exitCode: known.exitCode };
}

/** A login under another profile than the one that failed would mend nothing. */
export function inProfile(error: HoopError, profile: string | undefined): HoopError {
  const { code, message, hint, detail, approval } = error;
  if (profile === undefined || !/^[\w.-]{1,64}$/.test(profile)) return error;
  if (hint === undefined || !/\bhoopctl login\b(?! --help)/.test(hint) || hint.includes('--profile'))
    return error;
  const there = hint.replace(/\bhoopctl login\b/, `hoopctl login --profile ${profile}`);
  return new HoopError(code, message, {
    hint: there,
    ...(detail === undefined ? {} : { detail }),
    ...(approval === undefined ? {} : { approval }),
  });
}

function toLines(error: HoopError, width: number, charset: Charset): string {
  const lines = [
    `hoopctl: ${visible(messageOf(error))}`,
    ...(error.hint === undefined ? [] : [`hint: ${visible(error.hint)}`]),
  ];
  return `${wrapped(worded(lines.join('\n'), charset), width, NOTE_INDENT)}\n`;
}

function toJson(error: HoopError): object {
  const { code, hint } = error;
  return {
    schemaVersion: 1,
    error: { code, message: messageOf(error), ...(hint === undefined ? {} : { hint }) },
  };
}

/** A fault of hoopctl itself says what it was: it runs on the machine of the one who reads it. */
function messageOf({ code, message, detail }: HoopError): string {
  return code === 'ERR_INTERNAL' && detail ? `${message}: ${detail}` : message;
}
