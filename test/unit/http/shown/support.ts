import { DetectorSet } from '../../../../src/masking/detectors/index.ts';
import { parseFieldPath } from '../../../../src/masking/json/field-path.ts';
import { FieldState } from '../../../../src/masking/json/field-states.ts';
import type { PieceMasker } from '../../../../src/masking/pieces/piece-masker.ts';
import type { MaskKind, Reveal } from '../../../../src/policy/model.ts';
import { DetectedValues } from '../../../../src/protocols/stream/detected-values.ts';
import { resource } from '../../policy/support.ts';

const TAGS = ['pii.card', 'pii.email', 'pii.iban', 'pii.national-id', 'pii.phone', 'secret.key'];

/** Everything that detectors find is masked so, or shown. */
export function detecting(mask: MaskKind | 'show' = 'redact'): DetectedValues {
  const reveal = (): Reveal => (mask === 'show' ? { show: true } : { show: false, mask, rules: [] });
  const detected = new DetectedValues({ reveal }, resource, new DetectorSet(), TAGS);
  detected.refresh();
  return detected;
}

export function fields(paths: Readonly<Record<string, MaskKind>>): FieldState | undefined {
  return FieldState.start(
    Object.entries(paths).map(([text, kind]) => ({ path: parseFieldPath(text)!, kind })),
  );
}

/** What is shown of a body that comes in these pieces. */
export function shownOf(masker: PieceMasker, pieces: readonly Uint8Array[]): string {
  const shown = pieces.map((piece) => masker.push(piece));
  return Buffer.concat([...shown, masker.end()].flatMap((one) => one ?? [])).toString();
}

/** What is shown of a text in one piece; in any two pieces, and octet by octet, it is the same, or it throws. */
export function shownAlways(make: () => PieceMasker, text: string | Uint8Array): string {
  const bytes = Buffer.from(text);
  const whole = shownOf(make(), [bytes]);
  const cuts =
    bytes.length < 400
      ? bytes.keys()
      : Array.from({ length: 64 }, (_, i) => Math.floor((i * bytes.length) / 64));
  for (const at of cuts) {
    const halves = shownOf(make(), [bytes.subarray(0, at), bytes.subarray(at)]);
    if (halves !== whole) throw new Error(`cut at ${at}: ${halves}\nwhole: ${whole}`);
  }
  const single = shownOf(
    make(),
    [...bytes].map((byte) => Uint8Array.of(byte)),
  );
  if (single !== whole) throw new Error(`octet by octet: ${single}\nwhole: ${whole}`);
  return whole;
}
