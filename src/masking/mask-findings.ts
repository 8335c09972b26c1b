import type { MaskKind } from '../policy/model.ts';
import type { Finding } from './detectors/finding.ts';
import { maskJsonFindings } from './json-findings.ts';
import { isDocument } from './json-strings.ts';
import type { ValueShape } from './mask.ts';
import { maskValue } from './mask.ts';
import { type Masked, type Replacement, replaced } from './replaced.ts';

/** Policy's answer for the tags of a finding. */
type KindFor = (tags: readonly string[]) => MaskKind | 'show';

/**
 * Masks what detectors found in a value, and nothing else of it where its shape allows.
 *
 * Pure. In `text` the found parts are replaced. In JSON, and in a text that is a JSON object or array, they are replaced inside strings, keys too, and a number becomes
 * `null`: the document stays one. An `opaque` value with a finding becomes NULL, as does a text of which a part is to be
 * NULL, or cannot be masked.
 *
 * @param findings As `DetectorSet.scan` gave them for this value and shape.
 * @returns `value` itself if every finding may be shown; else new bytes of the same shape, or `null`. Never throws.
 */
export function maskFindings(
  value: Uint8Array,
  findings: readonly Finding[],
  kindFor: KindFor,
  shape: ValueShape,
): Uint8Array | null {
  let masked: Masked[] | undefined;
  for (const finding of findings) {
    const kind = kindFor(finding.tags);
    if (kind === 'show') continue;
    masked ??= [];
    masked.push({ ...finding, kind });
  }
  if (masked === undefined) return value;
  if (shape === 'opaque') return null;
  if (shape === 'text' && !isDocument(value)) return maskText(value, masked);
  return maskJsonFindings(value, masked, shape === 'text' ? 'json' : shape, (text, inner) =>
    maskFindings(text, inner, kindFor, 'text'),
  );
}

/** Replaces the parts of a text; null if one of them cannot be shown masked. */
function maskText(value: Uint8Array, masked: readonly Masked[]): Uint8Array | null {
  const parts: Replacement[] = [];
  for (const { start, end, kind } of masked) {
    const by = maskValue(value.subarray(start, end), kind, 'text');
    if (by === null) return null;
    parts.push({ start, end, by });
  }
  return replaced(value, parts);
}
