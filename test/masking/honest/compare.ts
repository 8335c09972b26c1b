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
}

const MASK = Buffer.from('***');
const REFUSED = /^refused: /;

/** Asks directly, through the gateway, and directly again: what changes by itself is compared with nothing. */
export async function judged(statement: Honest, direct: RawClient, through: RawClient): Promise<Verdict> {
  const before = await ask(direct, statement);
  const answer = await ask(through, statement);
  const after = await ask(direct, statement);
  if (before.error !== undefined) return { kind: 'unfit', why: before.error };
  if (!before.octets.equals(after.octets)) return { kind: 'unfit', why: 'another answer each time' };
  if (answer.error !== undefined)
    return { kind: REFUSED.test(answer.error) ? 'refused' : 'differs', why: answer.error };
  if (answer.octets.equals(before.octets))
    return statement.masks.length === 0 ? { kind: 'same' } : differs('is not masked');
  return difference(statement.masks, before, answer);
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
  return masks.length === 0 ? differs('has other messages') : { kind: 'masked' };
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
    error: failed === undefined ? undefined : messageOf(failed),
  };
}

function messageOf({ fields }: Extract<BackendMessage, { name: 'ErrorResponse' }>): string {
  return fields.find(([code]) => code === 'M')?.[1]?.toString() ?? '';
}
