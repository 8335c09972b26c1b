import fc from 'fast-check';
import type { Major } from '../../attacks/world.ts';
import {
  bind,
  describePortal,
  execute,
  parse,
  query,
  type RawClient,
  rawLogin,
  sync,
} from '../../support/postgres/raw-client.ts';
import type { Tunnel } from '../../support/stack.ts';
import { startTwins } from '../twins.ts';
import { MASKED, MEMBERS, twinSchema } from './schema.ts';
import { type Case, cases, type Step } from './statements.ts';

export interface ChanceOptions {
  readonly major: Major;
  readonly cases: number;
  readonly seed: number;
  /** As of `StackOptions`. */
  readonly computed?: 'refuse' | 'mask';
}

/** What became of cases that were run in two databases of which only the masked values differ. */
export interface ChanceReport {
  readonly major: Major;
  readonly cases: number;
  /** Their answers differ where no gateway stands: there is something to be seen. */
  readonly live: number;
  /** Refused by the gateway, in whole or in a part. */
  readonly refused: number;
  /** Of those, such as show nothing even where no gateway stands. */
  readonly refusedHarmless: readonly Case[];
  /** Refused by the server. */
  readonly failed: number;
  /** Answered, a masked value among what was sent. */
  readonly masked: number;
  readonly leaks: readonly Leak[];
}

interface Leak {
  readonly steps: Case;
  readonly answers: readonly [Buffer, Buffer];
}

const MASK = Buffer.from('***');
const REFUSED = /Mrefused: /;

/** Each case is undone, so that none sees what another has done. */
export async function chance(options: ChanceOptions): Promise<ChanceReport> {
  const twins = await startTwins({ sql: twinSchema(), columns: MASKED, fields: MEMBERS, ...options });
  try {
    const newest = Number(await twins.world.admin('SELECT max(oid::bigint) FROM pg_type'));
    const through = twins.tunnels.map((tunnel) => new Asker(tunnel, newest));
    const direct = twins.targets.map((target) => new Asker(target, newest));
    const report = { live: 0, refused: 0, failed: 0, masked: 0 };
    const refusedHarmless: Case[] = [];
    const leaks: Leak[] = [];
    const chosen = fc.sample(cases(options.major), { numRuns: options.cases, seed: options.seed });
    for (const steps of chosen) {
      const [one, other, ...bare] = await Promise.all(
        [...through, ...direct].map((asker) => asker.answer(steps)),
      );
      const live = !bare[0]!.equals(bare[1]!);
      if (live) report.live++;
      const refused = REFUSED.test(one!.toString('latin1'));
      if (refused) report.refused++;
      else if (isError(one!)) report.failed++;
      else if (one!.includes(MASK)) report.masked++;
      if (refused && !live && !isError(bare[0]!)) refusedHarmless.push(steps);
      if (!one!.equals(other!)) leaks.push({ steps, answers: [one!, other!] });
    }
    for (const asker of [...through, ...direct]) asker.close();
    const { major } = options;
    return { major, cases: chosen.length, ...report, refusedHarmless, leaks };
  } finally {
    await twins.stop();
  }
}

/**
 * The same for both databases but for what is masked: OIDs of what a case itself has made, in the descriptions of its rows, are the
 * next ones of the server, whichever database it was made in.
 *
 * @param newest The last OID that both began with.
 */
function withoutNewOids(answer: Buffer, newest: number): Buffer {
  for (let at = 0; at + HEADER_BYTES <= answer.length; at += 1 + answer.readUInt32BE(at + 1)) {
    if (answer[at] !== ROW_DESCRIPTION) continue;
    let field = at + HEADER_BYTES + 2;
    for (let left = answer.readUInt16BE(at + HEADER_BYTES); left > 0; left--) {
      const name = answer.indexOf(0, field) + 1;
      for (const oid of [name, name + 6])
        if (answer.readUInt32BE(oid) > newest) answer.writeUInt32BE(newest + 1, oid);
      field = name + 18;
    }
  }
  return answer;
}

const ROW_DESCRIPTION = 0x54;
const HEADER_BYTES = 5;

/** An ErrorResponse stands among the messages. */
function isError(answer: Buffer): boolean {
  for (let at = 0; at + 5 <= answer.length; at += 1 + answer.readUInt32BE(at + 1))
    if (answer[at] === 0x45) return true;
  return false;
}

/** One session, opened anew where it was closed. */
class Asker {
  readonly #at: Tunnel;
  readonly #newest: number;
  #client: RawClient | undefined;

  constructor(at: Tunnel, newest: number) {
    this.#at = at;
    this.#newest = newest;
  }

  /** Every octet that the client is sent for a case. */
  async answer(steps: Case): Promise<Buffer> {
    const client = await this.#open();
    client.send(...[query('BEGIN'), ...steps.map(messages), query('ROLLBACK')]);
    for (let left = steps.length + 2; left > 0 && !client.closed; left--) await client.untilReady();
    return withoutNewOids(client.take(), this.#newest);
  }

  close(): void {
    this.#client?.close();
  }

  async #open(): Promise<RawClient> {
    if (this.#client === undefined || this.#client.closed) {
      this.#client = await rawLogin(this.#at);
      this.#client.take();
    }
    return this.#client;
  }
}

function messages({ sql, extended }: Step): Buffer {
  if (extended === undefined) return query(sql);
  const { values, binary } = extended;
  const options = { values: [...values], binary };
  return Buffer.concat([parse('', sql), bind('', '', options), describePortal(''), execute(''), sync]);
}
