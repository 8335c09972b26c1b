/** What servers of JSON-RPC may make of a request: every reading that one of them is known for. Pure. */
import type { Heard } from '../../support/http/recording-upstream.ts';

/** What policy permits nobody. */
const TOOL = 'delete';

/** Letters that look alike, as a server may fold them. */
const ALIKE: Readonly<Record<string, string>> = { е: 'e', ѕ: 's', о: 'o', ӏ: 'l', ı: 'i', '\u212a': 'k' };

/** Folded as far as any server does: case, width, marks that are not seen, letters that look alike. */
function folded(text: string): string {
  const seen = text.normalize('NFKC').replaceAll(/[\p{C}\s]/gu, '');
  return [...seen.toLowerCase()].map((letter) => ALIKE[letter] ?? letter).join('');
}

/** Every name with a string behind it, in order, whichever of two counts, however deep and well-formed. */
function pairs(text: string): [name: string, value: string][] {
  const found = text.matchAll(/"((?:[^"\\]|\\.){0,64})"\s*:\s*"((?:[^"\\]|\\.){0,64})"/g);
  return [...found].map(([, name = '', value = '']) => [folded(unescaped(name)), folded(unescaped(value))]);
}

function unescaped(inside: string): string {
  return inside
    .replaceAll(/\\u([0-9a-f]{4})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
    .replaceAll(/\\(.)/g, '$1');
}

/** How a request gets to the tool that policy permits nobody, by the reading of some server; undefined: by none. */
export function calls({ body, headers }: Pick<Heard, 'body' | 'headers'>): string | undefined {
  const texts = [body.toString(), body.toString('latin1'), body.toString('utf16le')];
  const inBody = texts.flatMap(pairs);
  const inHeaders = headers.map(([name, value]): [string, string] => [name.toLowerCase(), folded(value)]);
  const says = (name: string, header: string, word: string) =>
    inBody.some((one) => one[0] === name && one[1] === word) ||
    inHeaders.some((one) => one[0] === header && one[1] === word);
  return says('method', 'mcp-method', 'tools/call') && says('name', 'mcp-name', TOOL)
    ? `${TOOL} is called`
    : undefined;
}
