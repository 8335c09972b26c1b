import type { HoopError } from '../../../core/errors.ts';
import { type MachineWord, stepLine, wordOf } from '../../../core/refusal-line.ts';

/** How a command ended, as the cluster says it in the channel `error`. */
export interface ExitStatus {
  readonly outcome: 'success' | 'failure';
  /** `exit 1`; of what could not be run the reason: `InternalError`. */
  readonly words: string;
  /** As the client is told. */
  readonly told: Buffer;
}

/** Octets of a status. */
const MAX_STATUS = 64 * 1024;

/**
 * Gathers what comes in the channel `error` until it is a status. Pure.
 *
 * @see https://pkg.go.dev/k8s.io/apimachinery/pkg/apis/meta/v1#Status
 */
export class StatusReader {
  readonly #clean: (text: string) => string;
  #text = '';

  /** @param clean Takes out of its message what nobody is to read. */
  constructor(clean: (text: string) => string) {
    this.#clean = clean;
  }

  /** @returns Undefined: it is not whole yet, or no status at all. */
  push(bytes: Buffer): ExitStatus | undefined {
    if (this.#text.length + bytes.length > MAX_STATUS) return undefined;
    this.#text += bytes.toString('latin1');
    if (!/\}\s*$/.test(this.#text)) return undefined;
    return this.#read(Buffer.from(this.#text, 'latin1').toString());
  }

  #read(text: string): ExitStatus | undefined {
    const said = parsed(text);
    if (said === undefined) return undefined;
    const { status, reason, message } = said;
    if (status === 'Success') return { outcome: 'success', words: 'exit 0', told: toldOf({ status }) };
    if (status !== 'Failure') return undefined;
    const code = reason === 'NonZeroExitCode' ? codeIn(said['details']) : undefined;
    const details =
      code === undefined ? {} : { details: { causes: [{ reason: 'ExitCode', message: String(code) }] } };
    const named = typeof reason === 'string' && /^[A-Za-z]{1,64}$/.test(reason) ? reason : 'InternalError';
    const words = code === undefined ? named : `exit ${code}`;
    const shown = typeof message === 'string' ? this.#clean(message) : '';
    // A reason that promises an exit code is none without it.
    const why = code === undefined && named === 'NonZeroExitCode' ? 'InternalError' : named;
    return {
      outcome: 'failure',
      words,
      told: toldOf({ status, message: shown, reason: why, ...details }),
    };
  }
}

/** A failure of the gateway's own: clients say its message, and end with 1. Pure. */
export function failureStatus(error: HoopError, word: MachineWord = wordOf(error)): Buffer {
  return toldOf({
    status: 'Failure',
    message: `hoop: ${error.code}: ${error.message} ${stepLine(word)}`,
    reason: 'InternalError',
    code: 500,
  });
}

function toldOf(status: object): Buffer {
  return Buffer.from(JSON.stringify({ metadata: {}, ...status }));
}

function parsed(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

function codeIn(details: unknown): number | undefined {
  const causes = (details as { readonly causes?: unknown } | null | undefined)?.causes;
  if (!Array.isArray(causes)) return undefined;
  const cause = (causes as { readonly reason?: unknown; readonly message?: unknown }[]).find(
    (one) => one?.reason === 'ExitCode',
  );
  const text = String(cause?.message ?? '');
  return /^(?:[1-9][0-9]{0,2})$/.test(text) && Number(text) <= 255 ? Number(text) : undefined;
}
