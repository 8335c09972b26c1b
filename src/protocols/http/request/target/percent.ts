/** A part of a URI: as it is forwarded, and what it stands for. */
export interface Component {
  readonly text: string;
  readonly decoded: string;
}

/** What may stand for itself in a part, beside what is unreserved: RFC 3986 §3.3 and §3.4. */
export type Plain = 'path' | 'query';

const UNRESERVED = /^[A-Za-z0-9._~-]*$/;
/** Of the sub-delimiters without `;`, which is refused where it stands. */
const PLAIN: Readonly<Record<Plain, ReadonlySet<string>>> = {
  path: new Set("!$&'()*+,=:@"),
  // Brackets are not the grammar's, and everybody sends them: `filter[name]=x`.
  query: new Set("!$&'()*+,=:@/?[]"),
};
const PERCENT = 0x25;

/**
 * Brings a part into its one form, RFC 3986 §6.2.2: what is unreserved stands for itself, hexadecimal digits are capitals,
 * what must not stand for itself is encoded. What is reserved stays as it was sent: encoded and not are two things.
 *
 * The form of a form is itself. Pure, linear.
 *
 * @param raw Visible ASCII.
 * @returns Undefined where a percent sign is followed by no two digits, or the octets are not UTF-8 (overlong, surrogates).
 *   Never throws.
 */
export function component(raw: string, plain: Plain): Component | undefined {
  if (UNRESERVED.test(raw)) return { text: raw, decoded: raw };
  const octets: number[] = [];
  let text = '';
  for (let at = 0; at < raw.length; at++) {
    const code = raw.charCodeAt(at);
    if (code !== PERCENT) {
      const char = raw.charAt(at);
      text += UNRESERVED.test(char) || PLAIN[plain].has(char) ? char : encoded(code);
      octets.push(code);
    } else {
      const digits = raw.slice(at + 1, at + 3);
      if (!/^[0-9A-Fa-f]{2}$/.test(digits)) return undefined;
      const octet = Number.parseInt(digits, 16);
      const char = String.fromCharCode(octet);
      text += UNRESERVED.test(char) ? char : encoded(octet);
      octets.push(octet);
      at += 2;
    }
  }
  const decoded = utf8(octets);
  return decoded === undefined ? undefined : { text, decoded };
}

/** A part of a query, where a plus sign is a space to whoever reads forms. As `component`. */
export function formComponent(raw: string): Component | undefined {
  const found = component(raw, 'query');
  if (found === undefined || !raw.includes('+')) return found;
  const spaced = component(raw.replaceAll('+', '%20'), 'query');
  return spaced === undefined ? undefined : { text: found.text, decoded: spaced.decoded };
}

function encoded(octet: number): string {
  return `%${octet.toString(16).toUpperCase().padStart(2, '0')}`;
}

function utf8(octets: readonly number[]): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Uint8Array.from(octets));
  } catch {
    return undefined;
  }
}
