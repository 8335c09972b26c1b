/** What a Content-Type says. */
export interface MediaType {
  /** `application/json`, in lower case. */
  readonly essence: string;
  /** By name in lower case, as they are; empty ones too. */
  readonly parameters: ReadonlyMap<string, string>;
}

const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const ESSENCE = new RegExp(`^${TOKEN}/${TOKEN}$`);
const PARAMETER = new RegExp(`[\\t ]*;[\\t ]*(?:(${TOKEN})=(?:(${TOKEN})|"((?:[^"\\\\]|\\\\.)*)"))?`, 'y');
const MAX_LENGTH = 1024;

/**
 * Reads a Content-Type strictly, so that nobody takes the body for another. Pure.
 *
 * @returns Undefined where it is not well-formed, or names a parameter twice.
 * @see RFC 9110 §8.3.1
 */
export function mediaType(value: string): MediaType | undefined {
  const text = value.trim();
  const end = text.search(/[\t ]*(?:;|$)/);
  const essence = text.slice(0, end).toLowerCase();
  if (text.length > MAX_LENGTH || !ESSENCE.test(essence)) return undefined;
  const parameters = new Map<string, string>();
  for (let at = end; at < text.length; at = PARAMETER.lastIndex) {
    PARAMETER.lastIndex = at;
    const read = PARAMETER.exec(text);
    if (read === null) return undefined;
    const [, name, token, quoted] = read;
    if (name === undefined) continue;
    if (parameters.has(name.toLowerCase())) return undefined;
    parameters.set(name.toLowerCase(), token ?? quoted!.replace(/\\(.)/g, '$1'));
  }
  return { essence, parameters };
}

const UNICODE = new Set([undefined, '', 'utf-8', 'utf8', 'us-ascii', 'ascii']);

/** Whether the text is in UTF-8, or a part of it. */
export function isUnicode({ parameters }: MediaType): boolean {
  return UNICODE.has(parameters.get('charset')?.toLowerCase());
}
