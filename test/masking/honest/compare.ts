import type { BackendMessage } from '../../../src/wire/postgres/backend.ts';
import {
  bind,
  describePortal,
  execute,
  parse,
  query,
  type RawClient,
  sync,
} from '../../support/postgres/raw-client.ts';
import type { Honest } from './corpus.ts';

/** What became of an honest statement: it gives what it gives directly, but for what it only carries. */
export type Verdict =
  | { readonly kind: 'same' | 'masked' }
  /** It is not asked, or its answer has masks where nothing masked is; or it is another answer. */
  | { readonly kind: 'refused' | 'withheld' | 'differs'; readonly why: string }
  /** Directly it fails, or gives something else each time. */
  | { readonly kind: 'unfit'; readonly why: string };

interface Answer {
  readonly octets: Buffer;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (Buffer | null)[])[];
  readonly error: string | undefined;
  readonly sqlstate: string | undefined;
  readonly notices: number;
}

const MASK = Buffer.from('***');
const REFUSED = /^refused: /;

/**
 * Asks directly, through the gateway, and directly again: what changes by itself is compared with nothing.
 *
 * @param statements A session's, which leaves nothing behind; or one that stands alone.
 */
export async function judged(
  statements: readonly Honest[],
  direct: RawClient,
  through: RawClient,
): Promise<readonly Verdict[]> {
  const before = await askAll(direct, statements);
  const answers = await askAll(through, statements);
  const after = await askAll(direct, statements);
  return statements.map((statement, n) => verdict(statement, before[n]!, answers[n]!, after[n]!));
}

async function askAll(client: RawClient, statements: readonly Honest[]): Promise<readonly Answer[]> {
  const answers: Answer[] = [];
  for (const statement of statements) answers.push(await ask(client, statement));
  return answers;
}

function verdict({ masks, session }: Honest, before: Answer, answer: Answer, after: Answer): Verdict {
  if (before.error !== undefined && session === undefined) return { kind: 'unfit', why: before.error };
  // What is made anew each time has another OID, which an answer's description tells.
  const isSteady = before.octets.equals(after.octets);
  if (!isSteady && !isAlike(before, after)) return { kind: 'unfit', why: 'another answer each time' };
  if (!isSteady && masks.length === 0 && isAlike(before, answer)) return { kind: 'same' };
  if (answer.octets.equals(before.octets))
    return masks.length === 0 ? { kind: 'same' } : differs('is not masked');
  if (answer.error !== undefined) return failure(before, answer.error, answer.sqlstate);
  return difference(masks, before, answer);
}

function isAlike(one: Answer, other: Answer): boolean {
  const told = ({ columns, rows, sqlstate }: Answer) =>
    JSON.stringify([columns, rows.map((row) => row.map((value) => value?.toString('hex'))), sqlstate]);
  return told(one) === told(other);
}

/** The same failure in words of the gateway's own is no other answer. */
function failure(before: Answer, error: string, sqlstate: string | undefined): Verdict {
  if (REFUSED.test(error)) return { kind: 'refused', why: error };
  return before.sqlstate === sqlstate
    ? { kind: 'withheld', why: `SQLSTATE ${sqlstate} is said anew` }
    : differs(error);
}

function difference(masks: readonly string[], direct: Answer, through: Answer): Verdict {
  if (through.columns.join() !== direct.columns.join()) return differs('has other columns');
  if (through.rows.length !== direct.rows.length) return differs('has another number of rows');
  for (const [row, values] of direct.rows.entries())
    for (const [column, value] of values.entries()) {
      const shown = through.rows[row]?.[column] ?? null;
      const name = direct.columns[column] ?? '';
      if (masks.includes(name) ? isMasked(value, shown) : isEqual(value, shown)) continue;
      return isMasked(value, shown)
        ? { kind: 'withheld', why: `${name} is masked` }
        : differs(`${name} is not what it is`);
    }
  if (masks.length > 0) return { kind: 'masked' };
  return direct.notices === through.notices && direct.notices > 0
    ? { kind: 'withheld', why: 'a notice is said anew' }
    : differs('has other messages');
}

function differs(why: string): Verdict {
  return { kind: 'differs', why };
}

function isMasked(direct: Buffer | null, shown: Buffer | null): boolean {
  return direct === null
    ? shown === null
    : shown === null || shown.equals(MASK) || /["']\*{3}["']/.test(shown.toString('latin1'));
}

function isEqual(direct: Buffer | null, shown: Buffer | null): boolean {
  return direct === null || shown === null ? direct === shown : direct.equals(shown);
}

async function ask(client: RawClient, { sql, values }: Honest): Promise<Answer> {
  client.take();
  if (values === undefined) client.send(query(sql));
  else
    client.send(parse('', sql), bind('', '', { values: [...values] }), describePortal(''), execute(''), sync);
  const messages = await client.untilReady();
  const octets = client.take();
  const failed = messages.find((one) => one.name === 'ErrorResponse');
  const described = messages.find((one) => one.name === 'RowDescription');
  return {
    octets,
    columns: described?.columns.map(({ name }) => name.toString()) ?? [],
    rows: messages.flatMap((one) => (one.name === 'DataRow' ? [one.values] : [])),
    error: failed === undefined ? undefined : fieldOf(failed, 'M'),
    sqlstate: failed === undefined ? undefined : fieldOf(failed, 'C'),
    notices: messages.filter((one) => one.name === 'NoticeResponse').length,
  };
}

function fieldOf({ fields }: Extract<BackendMessage, { name: 'ErrorResponse' }>, wanted: string): string {
  return fields.find(([code]) => code === wanted)?.[1]?.toString() ?? '';
}
