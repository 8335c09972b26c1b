import { encodedText, mayBeEncoded } from '../encoded.ts';
import { escapedStrings, isDocument } from '../json-strings.ts';
import type { ValueShape } from '../mask.ts';
import { BuiltinScanner, isTelling, TELLING } from './builtin.ts';
import { CustomDetectors } from './custom.ts';
import { addFinding, type CustomDetector, type Finding } from './finding.ts';

export { type CustomDetector, type Finding, TELLING };

const NOTHING: readonly Finding[] = Object.freeze([]);

/**
 * The detectors in force, built-in and configured.
 *
 * Not to be shared between threads: it reuses its scratch memory, so one `scan` must end before the next begins (it
 * does not yield).
 */
export class DetectorSet {
  readonly #builtin = new BuiltinScanner();
  readonly #custom: CustomDetectors;

  /** @throws {HoopError} `ERR_CONFIG` a pattern is not valid re2 syntax, could match nothing, or has no tags. */
  constructor(custom: readonly CustomDetector[] = []) {
    this.#custom = new CustomDetectors(custom);
  }

  /** Whether there are others than the built-in ones: they may find anything anywhere. */
  get configured(): boolean {
    return !this.#custom.empty;
  }

  /**
   * A quick look at one value before `scan`: most values hold nothing that could tell.
   *
   * @param bytes Hold the value from `start` to `end`; nothing beside is looked at.
   * @param from Octets before it were looked at: none of them is one of `TELLING`.
   * @returns False only if `scan` would find nothing. Never throws.
   */
  suspects(
    bytes: Uint8Array,
    start: number,
    end: number,
    shape: ValueShape = 'text',
    from: number = start,
  ): boolean {
    if (!this.#custom.empty || isTelling(bytes, start, end, from)) return true;
    if (shape === 'text' && mayBeEncoded(bytes, start, end)) return true;
    return (shape === 'json' || shape === 'jsonb-binary') && contains(bytes, start, end, BACKSLASH);
  }

  /**
   * Finds what is sensitive in one value.
   *
   * Pure and bounded: one walk over the bytes for the built-in detectors, linear matching of the configured ones in
   * windows of 1 MiB that overlap by 64 KiB (a configured match longer than that may be found in part).
   *
   * @param value One cell as on the wire; invalid UTF-8 is scanned as it is.
   * @param shape In `json`, and in a `text` that is a JSON object or array in which something is found, strings written with escapes are unescaped first, and found whole. A `text` that is nothing but
   *   base64 or hexadecimal of a text in which something is found, is found whole.
   * @returns By position, never overlapping: findings that overlap are one, with the tags of all. Empty and shared if
   *   there is nothing.
   * @throws {HoopError} `ERR_LIMIT` the value is too large for the configured detectors; anything thrown means that the
   *   caller must mask the whole value.
   */
  scan(value: Uint8Array, shape: ValueShape = 'text'): readonly Finding[] {
    const found: Finding[] = [];
    this.#builtin.scan(value, found);
    this.#custom.scan(value, found);
    if (shape === 'text') this.#scanEncoded(value, found);
    if (shape === 'text' ? found.length > 0 && isDocument(value) : shape !== 'opaque')
      this.#scanEscaped(value, found);
    if (found.length === 0) return NOTHING;
    return found.length === 1 ? found : merge(found);
  }

  #scanEncoded(value: Uint8Array, found: Finding[]): void {
    const text = encodedText(value);
    if (text === undefined) return;
    for (const inner of this.scan(text, 'opaque'))
      addFinding(found, { ...inner, start: 0, end: value.length });
  }

  /** What stands in strings with escapes is found in what they say; what their octets seem to say is dropped. */
  #scanEscaped(value: Uint8Array, found: Finding[]): void {
    const raw = found.splice(0).sort(byPlace);
    let next = 0;
    for (const { start, end, text } of escapedStrings(value)) {
      for (let one = raw[next]; one !== undefined && one.start < start; one = raw[++next]) found.push(one);
      for (let one = raw[next]; one !== undefined && one.end <= end; one = raw[++next]);
      const findings = this.scan(text);
      if (findings.length === 0) continue;
      const tags = findings.map((one) => one.tags).reduce(union);
      addFinding(found, { start, end, tags, detector: findings[0]!.detector, within: { text, findings } });
    }
    for (; next < raw.length; next++) found.push(raw[next]!);
  }
}

const BACKSLASH = 0x5c;

function contains(bytes: Uint8Array, start: number, end: number, byte: number): boolean {
  for (let at = start; at < end; at++) if (bytes[at] === byte) return true;
  return false;
}

function byPlace(a: Finding, b: Finding): number {
  return a.start - b.start || b.end - a.end;
}

/** Leftmost first, longest first; what overlaps becomes one, so that no part of any finding is left out. */
function merge(found: Finding[]): readonly Finding[] {
  found.sort(byPlace);
  const out: Finding[] = [];
  for (const finding of found) {
    const last = out.at(-1);
    if (last === undefined || finding.start >= last.end) out.push(finding);
    else
      out[out.length - 1] = {
        ...last,
        end: Math.max(last.end, finding.end),
        tags: union(last.tags, finding.tags),
      };
  }
  return out;
}

function union(a: readonly string[], b: readonly string[]): readonly string[] {
  return a.every((tag) => b.includes(tag)) && a.length === b.length ? a : [...new Set([...a, ...b])];
}
