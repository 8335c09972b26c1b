import { HOP_BY_HOP } from '../fields/names.ts';
import type { Field } from '../fields/read-fields.ts';
import type { TargetPlace } from './own-reference.ts';
import { REFERENCES } from './references.ts';

export interface ShownHead {
  /** What goes on, names in lower case, in order. */
  readonly headers: readonly Field[];
  /** Names of references that lead away from the target, and went no further. */
  readonly withheld: readonly string[];
}

/** Names what went no further since it leads away from the target; hoopd's own word, whatever a target says. */
export const WITHHELD = 'hoop-withheld';

const MAX_FIELDS = 256;
const NAME = /^[!#$%&'*+.^_`|~0-9a-z-]{1,256}$/;
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/**
 * About the target's address, its connections, or who one is there: nothing of it is true at the local end.
 *
 * Cookies are credentials: a client's go no further than here, and the target's are not shown.
 */
const NOT_SHOWN: ReadonlySet<string> = new Set([
  ...HOP_BY_HOP,
  'alt-svc',
  'authentication-info',
  'clear-site-data',
  'expect-ct',
  WITHHELD,
  'nel',
  'public-key-pins',
  'public-key-pins-report-only',
  'report-to',
  'reporting-endpoints',
  'set-cookie',
  'set-cookie2',
  'strict-transport-security',
  'uri',
  'www-authenticate',
  'x-lighttpd-send-file',
  'x-sendfile',
]);

/** True of the body as the target sent it. By a digest a guess at a masked value could be tried. */
const OF_THE_BODY: ReadonlySet<string> = new Set([
  'accept-ranges',
  'content-encoding',
  'content-length',
  'content-range',
  'delta-base',
  'im',
  'last-modified',
  'signature',
  'signature-input',
]);
const DIGEST = /(?:^|-)(?:etag|digest|hash|checksum|md5|sha\d*|crc\d*c?)(?:-|$)/;

/**
 * What of the target's head the client is given. Values are masked by whoever knows of masks.
 *
 * Pure, linear.
 *
 * @param rawHeaders Names and values in turn, an octet per character.
 * @param masked The body is rewritten: nothing that is true of the original alone goes on.
 * @returns Undefined where it is no head: a name or a value is malformed, there are too many, or two types of the body.
 */
export function shownHead(
  rawHeaders: readonly string[],
  place: TargetPlace,
  masked: boolean,
): ShownHead | undefined {
  const fields = wellFormed(rawHeaders);
  if (fields === undefined) return undefined;
  const ofConnection = connectionOptions(fields);
  const headers: Field[] = [];
  const withheld: string[] = [];
  for (const [name, value] of fields) {
    if (!isShown(name) || (masked && isOfBody(name))) continue;
    if (ofConnection.includes(name) && !name.startsWith('content-')) continue;
    const rewritten = Object.hasOwn(REFERENCES, name) ? REFERENCES[name]!(value, place) : value;
    if (rewritten === undefined) withheld.push(name);
    else headers.push([name, rewritten]);
  }
  return { headers, withheld };
}

/**
 * What of the target's trailers the client is given: nothing that would change how the message was read.
 *
 * @returns Undefined where they are malformed.
 * @see RFC 9110 §6.5.1
 */
export function shownTrailers(rawTrailers: readonly string[], masked: boolean): readonly Field[] | undefined {
  return wellFormed(rawTrailers)?.filter(
    ([name]) =>
      isShown(name) &&
      !(masked && isOfBody(name)) &&
      !Object.hasOwn(REFERENCES, name) &&
      !/^(?:content-(?!digest$).*|cache-control|vary|retry-after|host)$/.test(name),
  );
}

function wellFormed(raw: readonly string[]): Field[] | undefined {
  if (raw.length > 2 * MAX_FIELDS) return undefined;
  const fields: Field[] = [];
  let type: string | undefined;
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const [name, value] = [raw[at]!.toLowerCase(), raw[at + 1]!];
    if (!NAME.test(name) || !VALUE.test(value)) return undefined;
    if (name === 'content-type') {
      if (type !== undefined && type !== value) return undefined;
      type = value;
    }
    fields.push([name, value]);
  }
  return fields;
}

const NONE: readonly string[] = [];

/** Names that are of the connection alone, in lower case. */
function connectionOptions(fields: readonly Field[]): readonly string[] {
  let options = NONE;
  for (const [name, value] of fields)
    if (name === 'connection') options = [...options, ...value.toLowerCase().split(/[,\t ]+/)];
  return options;
}

function isShown(name: string): boolean {
  return !NOT_SHOWN.has(name) && !name.startsWith('x-accel-');
}

function isOfBody(name: string): boolean {
  return OF_THE_BODY.has(name) || DIGEST.test(name);
}
