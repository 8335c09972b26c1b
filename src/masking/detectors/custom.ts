import { RE2JS } from 're2js';
import { HoopError } from '../../core/errors.ts';
import { requiredLiteral } from '../literal.ts';
import { addFinding, type CustomDetector, type Finding } from './finding.ts';

/** Octets per window, and how many of them the next window sees again. */
const WINDOW_BYTES = 1024 * 1024;
const OVERLAP_BYTES = 64 * 1024;
/** Beyond this a value is not searched but masked whole: matching runs on the thread that serves everyone. */
const MAX_BYTES = 8 * 1024 * 1024;
const MAX_PATTERN_CHARS = 1000;

interface Compiled {
  readonly name: string;
  readonly pattern: RE2JS;
  readonly tags: readonly string[];
  /** Every match contains it. */
  readonly literal: string | undefined;
}

/** The configured detectors, compiled. */
export class CustomDetectors {
  readonly #detectors: readonly Compiled[];

  /** @throws {HoopError} `ERR_CONFIG` */
  constructor(custom: readonly CustomDetector[]) {
    this.#detectors = custom.map(({ name, pattern, tags }) => ({
      name,
      pattern: compile(name, pattern, tags),
      tags: [...tags],
      literal: requiredLiteral(pattern),
    }));
  }

  get empty(): boolean {
    return this.#detectors.length === 0;
  }

  /** @throws {HoopError} `ERR_LIMIT` the value is larger than 8 MiB. */
  scan(value: Uint8Array, found: Finding[]): void {
    if (this.empty) return;
    const view = Buffer.isBuffer(value)
      ? value
      : Buffer.from(value.buffer, value.byteOffset, value.byteLength);
    for (const detector of this.#detectors) {
      if (detector.literal === undefined || view.indexOf(detector.literal, 0, 'latin1') !== -1)
        match(detector, view, found);
    }
  }
}

function match(detector: Compiled, value: Buffer, found: Finding[]): void {
  if (value.length > MAX_BYTES)
    throw new HoopError('ERR_LIMIT', 'the value is too large for the configured detectors');
  for (let from = 0; ; from += WINDOW_BYTES - OVERLAP_BYTES) {
    const matcher = detector.pattern.matcher(value.subarray(from, from + WINDOW_BYTES));
    while (matcher.find()) {
      const [start, end] = [from + matcher.start(), from + matcher.end()];
      if (end > start) addFinding(found, { start, end, tags: detector.tags, detector: detector.name });
    }
    if (from + WINDOW_BYTES >= value.length) return;
  }
}

function compile(name: string, pattern: string, tags: readonly string[]): RE2JS {
  if (tags.length === 0) throw fault(name, 'has no tags', 'name what it finds, as in tags: [pii.employee]');
  if (pattern.length > MAX_PATTERN_CHARS)
    throw fault(name, `the pattern is longer than ${MAX_PATTERN_CHARS} characters`);
  let compiled: RE2JS;
  try {
    compiled = RE2JS.compile(pattern);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw fault(name, why, 'patterns are in re2 syntax: no look-around, no back-references');
  }
  if (compiled.matcher('').find())
    throw fault(name, 'the pattern matches an empty text', 'let it need at least one character');
  return compiled;
}

function fault(name: string, message: string, hint?: string): HoopError {
  return new HoopError(
    'ERR_CONFIG',
    `detector ${JSON.stringify(name)}: ${message}`,
    hint === undefined ? {} : { hint },
  );
}
