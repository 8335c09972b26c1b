import { readFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { type ConfigDocument, parseConfigDocument } from '../../core/config/document.ts';
import { type Mistake, sortMistakes } from '../../core/config/mistake.ts';
import { dotted, mistakesFromIssues } from '../../core/config/mistakes-from-zod.ts';
import type { Complain } from '../../core/config/shape.ts';
import { PROTOCOLS } from '../../protocols/index.ts';
import type { Protocol } from '../../protocols/protocol.ts';
import { checkConfig } from './checks.ts';
import type { Materials } from './materials.ts';
import { configSchema, type HoopdConfig } from './schema.ts';

export interface LoadOptions {
  /** Default `process.env`. */
  readonly env?: NodeJS.ProcessEnv;
  /** Default now; for the certificate's dates. */
  readonly nowMs?: number;
  /** Default true. False: secrets are not looked up, `materials` lacks them. */
  readonly secrets?: boolean;
  /** Whose resources may be configured, and are then served. Default: all that hoopd speaks. */
  readonly protocols?: readonly Protocol[];
}

/** A configuration without mistakes, and what its files hold. */
export interface LoadedConfig {
  readonly ok: true;
  /** Absolute. */
  readonly file: string;
  readonly config: HoopdConfig;
  readonly materials: Materials;
  /** Those with which it was read. */
  readonly protocols: readonly Protocol[];
  /** Where the value at a path stands in the file. */
  readonly locate: ConfigDocument['locate'];
}

export type Loaded =
  | LoadedConfig
  | { readonly ok: false; readonly file: string; readonly mistakes: readonly Mistake[] };

const LACKING = 'name it with --config, or make one with `hoopd init`';

/**
 * Reads `hoopd.yaml` and everything it names.
 *
 * Effects: reads files synchronously, changes nothing. All mistakes of the shape are reported together, and, once
 * the shape is right, all mistakes of the files and references behind it.
 *
 * @param path The configuration file. Relative paths inside it start from its directory.
 * @returns The configuration with its secrets, or at least one mistake in order of place. Never throws.
 */
export function loadConfig(path: string, options: LoadOptions = {}): Loaded {
  const file = resolve(path);
  const name = basename(path);
  const whole = (problem: string, cure: string): Loaded => ({
    ok: false,
    file,
    // Of a file that is not there, where it was looked for is what matters.
    mistakes: [{ file: path, line: 1, column: 1, path: '', problem, cure }],
  });
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
    const cure =
      code === 'EISDIR'
        ? `it is a directory: name the file in it, such as ${join(path, 'hoopd.yaml')}`
        : LACKING;
    return whole(`cannot be read (${code})`, cure);
  }
  return parseConfig(text, file, name, options);
}

function parseConfig(text: string, file: string, name: string, options: LoadOptions): Loaded {
  const document = parseConfigDocument(text, name);
  if (document.mistakes.length > 0) return { ok: false, file, mistakes: document.mistakes };
  const { env = process.env, nowMs = Date.now(), secrets = true, protocols = PROTOCOLS } = options;
  const parsed = configSchema(dirname(file), protocols).safeParse(document.value);
  if (!parsed.success) {
    return {
      ok: false,
      file,
      mistakes: sortMistakes(mistakesFromIssues(parsed.error.issues, document, name)),
    };
  }
  const mistakes: Mistake[] = [];
  const complain: Complain = (path, problem, cure) =>
    mistakes.push({ file: name, ...document.locate(path), path: dotted(path), problem, cure });
  const materials = checkConfig(parsed.data, complain, { env, nowMs, secrets, protocols });
  if (materials === undefined || mistakes.length > 0) {
    return { ok: false, file, mistakes: sortMistakes(mistakes) };
  }
  const { locate } = document;
  return { ok: true, file, config: parsed.data, materials, protocols, locate };
}
