import { HoopError } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';

/** A detector from the configuration: `pattern` is in re2 syntax, which is matched in linear time. */
export interface CustomDetector {
  readonly name: string;
  readonly pattern: string;
  readonly tags: readonly string[];
}

/**
 * Adds to what was found in one value.
 *
 * @throws {HoopError} `ERR_LIMIT` there would be more than anyone could look at: the value must be masked whole.
 */
export function addFinding(found: Finding[], finding: Finding): void {
  if (found.length >= LIMITS.findingsPerValue)
    throw new HoopError('ERR_LIMIT', 'the value holds too much that is sensitive');
  found.push(finding);
}

/** Something sensitive in a value: octets `start` … `end`, the tags that policy knows it by, and who found it. */
export interface Finding {
  readonly start: number;
  readonly end: number;
  readonly tags: readonly string[];
  readonly detector: string;
  /** Where it is a string of a JSON text that is written with escapes: what the string says, and what is in that. */
  readonly within?: { readonly text: Uint8Array; readonly findings: readonly Finding[] };
}
