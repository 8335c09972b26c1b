import { maskValue } from '../../../masking/mask.ts';
import type { Detects } from '../../../masking/pieces/detects.ts';
import type { Field } from '../request/fields/read-fields.ts';
import type { AnswerMasks } from './masks.ts';

export interface ShownFields {
  readonly fields: readonly Field[];
  /** Values that were masked. */
  readonly masked: number;
}

/**
 * What a client is shown of a head's fields, or of trailers.
 *
 * A classified field is masked whole; in all others what detectors find, in what is percent-encoded too. A field of which
 * nothing can be shown is left out.
 *
 * Pure, linear apart from what detectors cost.
 *
 * @param fields Names in lower case, values an octet per character.
 */
export function shownFields(
  fields: readonly Field[],
  { headers, detects }: Pick<AnswerMasks, 'headers' | 'detects'>,
): ShownFields {
  if (headers.size === 0 && detects === undefined) return { fields, masked: 0 };
  const shown: Field[] = [];
  let masked = 0;
  for (const field of fields) {
    const [name, value] = field;
    const kind = headers.get(name);
    const octets = Buffer.from(value, 'latin1');
    const by = kind === undefined ? detected(octets, detects) : maskValue(octets, kind, 'text');
    if (by === octets) shown.push(field);
    else masked++;
    if (by !== null && by !== octets) shown.push([name, Buffer.from(by).toString('latin1')]);
  }
  return { fields: shown, masked };
}

/** The same octets where nothing is found. */
function detected(octets: Buffer, detects: Detects | undefined): Uint8Array | null {
  if (detects === undefined) return octets;
  const plain = percentDecoded(octets);
  if (plain !== octets && look(plain, detects) !== plain) return null;
  return look(octets, detects);
}

function look(octets: Buffer, detects: Detects): Uint8Array | null {
  if (!detects.suspects(octets, 0, octets.length, 'text')) return octets;
  detects.nextRecord();
  return detects.detect(octets, 'text');
}

/** What does not decode stays as it is. The same octets where nothing does. */
function percentDecoded(octets: Buffer): Buffer {
  if (!octets.includes(0x25)) return octets;
  const text = octets
    .toString('latin1')
    .replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  const plain = Buffer.from(text, 'latin1');
  return plain.length === octets.length ? octets : plain;
}
