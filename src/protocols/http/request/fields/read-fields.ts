import { type Refused, refused } from '../refusals.ts';
import { SINGLE } from './names.ts';

const MAX_FIELDS = 128;
/** Octets of one value. */
const MAX_VALUE = 8192;
/** Octets of all names and values. */
const MAX_FIELDS_LENGTH = 65_536;

/** Name in lower case, value without spaces around it. */
export type Field = readonly [name: string, value: string];

const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}$/;
/** RFC 9110 §5.5: visible characters, spaces, tabs, and octets outside of ASCII, an octet per character. */
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
/** Read by the gateway: in them an octet outside of ASCII is a space to one reader and none to another. */
const ASCII_ONLY =
  /^(?:accept|accept-encoding|connection|content-.*|expect|host|prefer|range|sec-websocket-.*|te|transfer-encoding|upgrade)$/;

/** Headers of a request, each well-formed and those that stand alone alone. */
export class Fields {
  readonly all: readonly Field[];
  readonly #values = new Map<string, string[]>();

  constructor(all: readonly Field[]) {
    this.all = all;
    for (const [name, value] of all) {
      const values = this.#values.get(name);
      if (values === undefined) this.#values.set(name, [value]);
      else values.push(value);
    }
  }

  /** The value of one that stands alone. */
  one(name: string): string | undefined {
    return this.#values.get(name)?.[0];
  }

  /** Members of a list, over all of its lines: RFC 9110 §5.6.1. */
  list(name: string): string[] {
    const lines = this.#values.get(name) ?? [];
    return lines.flatMap((line) => line.split(',').map(trimmed)).filter(Boolean);
  }

  /** As `list`, in lower case. */
  members(name: string): string[] {
    return this.list(name).map((one) => one.toLowerCase());
  }

  has(name: string): boolean {
    return this.#values.has(name);
  }
}

/**
 * Reads the lines of headers: how many, how long, of which characters, and how often.
 *
 * @param raw Names and values in turn, an octet per character.
 * @see RFC 9110 §5
 */
export function readFields(raw: readonly string[]): Fields | Refused {
  if (raw.length > 2 * MAX_FIELDS)
    return refused('headers-too-large', `there are more than ${MAX_FIELDS} headers`);
  const fields: Field[] = [];
  const seen = new Set<string>();
  let length = 0;
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const name = raw[at]!.toLowerCase();
    const value = trimmed(raw[at + 1]!);
    length += name.length + value.length;
    if (value.length > MAX_VALUE || length > MAX_FIELDS_LENGTH)
      return refused('headers-too-large', 'the headers are longer than is read');
    if (!TOKEN.test(name)) return refused('header-malformed', 'the name of a header is not a token');
    if (!VALUE.test(value) || (ASCII_ONLY.test(name) && /[^\t\x20-\x7e]/.test(value)))
      return refused('header-malformed', `the header ${name} has a character that must not be in it`);
    if (SINGLE.has(name) && seen.has(name))
      return refused('header-repeated', `the header ${name} is there twice`);
    seen.add(name);
    fields.push([name, value]);
  }
  return new Fields(fields);
}

function trimmed(value: string): string {
  let [start, end] = [0, value.length];
  while (start < end && isBlank(value.charCodeAt(start))) start++;
  while (end > start && isBlank(value.charCodeAt(end - 1))) end--;
  return value.slice(start, end);
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}
