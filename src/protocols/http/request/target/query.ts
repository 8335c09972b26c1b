import { type Refused, refused } from '../refusals.ts';
import { formComponent } from './percent.ts';

const MAX_PARAMETERS = 1000;

export type Parameter = readonly [name: string, value: string];

export interface Query {
  /** As it is forwarded, with its question mark; empty where there is none. */
  readonly query: string;
  /** Decoded as forms are, all of them, in order; without what was left away. */
  readonly parameters: readonly Parameter[];
}

/**
 * Reads a query: parameters between ampersands, names and values around the first equals sign, plus signs as spaces.
 *
 * A semicolon is refused where it stands for itself: some servers divide parameters by it. NUL is, since others end there.
 *
 * @param raw What follows the first question mark, visible ASCII; undefined where there is none.
 * @param leaveAway A parameter of this name is not forwarded, however its letters are written.
 * @see https://url.spec.whatwg.org/#urlencoded-parsing
 */
export function readQuery(raw: string | undefined, leaveAway?: string): Query | Refused {
  if (raw === undefined) return { query: '', parameters: [] };
  if (raw.includes(';')) return refused('query-ambiguous', 'the query has a semicolon that is not encoded');
  const pieces = raw.split('&');
  if (pieces.length > MAX_PARAMETERS)
    return refused('target-too-long', `the query has more than ${MAX_PARAMETERS} parameters`);
  const texts: string[] = [];
  const parameters: Parameter[] = [];
  for (const piece of pieces) {
    const one = readParameter(piece);
    if (one === undefined) return refused('percent-encoding', 'the query is not percent-encoded UTF-8');
    const { text, parameter } = one;
    if (parameter.some((part) => part.includes('\0')))
      return refused('query-ambiguous', 'the query has a NUL');
    if (leaveAway !== undefined && parameter[0].toLowerCase() === leaveAway.toLowerCase()) continue;
    texts.push(text);
    if (piece !== '') parameters.push(parameter);
  }
  return { query: texts.length === 0 ? '' : `?${texts.join('&')}`, parameters };
}

function readParameter(piece: string): { text: string; parameter: Parameter } | undefined {
  const at = piece.indexOf('=');
  const name = formComponent(at === -1 ? piece : piece.slice(0, at));
  const value = formComponent(at === -1 ? '' : piece.slice(at + 1));
  if (name === undefined || value === undefined) return undefined;
  const text = at === -1 ? name.text : `${name.text}=${value.text}`;
  return { text, parameter: [name.decoded, value.decoded] };
}
