import type { TriedOut } from '../../../api/approvals.ts';
import { Bind, Execute, Parse } from '../../../wire/postgres/extended.ts';
import { Sync } from '../../../wire/postgres/frontend.ts';
import { Query } from '../../../wire/postgres/query.ts';
import { type ErrorResponse, reportText } from '../../../wire/postgres/report.ts';
import { CONDITIONS } from '../shown/sqlstates.ts';
import { type Conversation, demandOpen } from './conversation.ts';
import type { TrialStatement } from './document.ts';

/** Octets. */
const MAX_NAME = 63;

const COUNTS = `SELECT schemaname, relname, n_tup_ins, n_tup_upd, n_tup_del FROM pg_catalog.pg_stat_xact_user_tables
  WHERE n_tup_ins + n_tup_upd + n_tup_del > 0 ORDER BY schemaname, relname`;

/** Runs a statement as it is, counts what changed by whatever it led to, and undoes it. */
export async function counted(
  talk: Conversation,
  trial: TrialStatement,
): Promise<Pick<TriedOut, 'command' | 'rows' | 'changes' | 'fails'>> {
  await talk.begin(trial);
  const ran = await talk.exchange(statementMessages(trial, trial.statement), false);
  if (ran.failure !== undefined) return failed(talk, ran.failure);
  demandOpen(ran);
  const checked = await talk.checkDeferred();
  if (checked.failure !== undefined) return failed(talk, checked.failure);
  demandOpen(checked);
  const { results } = await talk.ours(`SET LOCAL search_path = pg_catalog; ${COUNTS}`);
  await talk.rollback();
  const [command = '', ...rest] = (ran.tags[0] ?? '').split(' ');
  return { command, rows: Number(rest.at(-1) ?? 0), changes: (results.at(-1) ?? []).map(changeOf) };
}

/** @param maxRows Of its own answer; 0: all. */
export function statementMessages(
  { types, formats, values }: TrialStatement,
  sql: string,
  maxRows = 0,
): Buffer {
  const parameters = values.map((value) => (value === null ? null : Buffer.from(value, 'hex')));
  return Buffer.concat([
    Parse.encode({ statement: '', sql, parameterTypes: types }),
    Bind.encode({ portal: '', statement: '', parameterFormats: formats, parameters, resultFormats: [] }),
    Execute.encode({ portal: '', maxRows }),
    Sync.encode({}),
  ]);
}

/**
 * Never the server's own words, which may hold values, as may every field of a report that a function raises: which
 * condition it is, and of which constraint or table where there is one of that name.
 */
async function failed(
  talk: Conversation,
  failure: ErrorResponse,
): Promise<Pick<TriedOut, 'changes' | 'fails'>> {
  const named = reportText(failure, 'n') ?? reportText(failure, 't') ?? '';
  const of = (await isThere(talk, named)) ? ` ("${named}")` : '';
  const { status, reason } = conditionOf(failure);
  return { changes: [], fails: { status, reason: reason + of } };
}

/** Which condition a report is of, in words that are no one's. */
export function conditionOf(failure: ErrorResponse): { readonly status: string; readonly reason: string } {
  const state = reportText(failure, 'C') ?? '';
  const status = CONDITIONS.has(state) ? state : 'P0001';
  return { status, reason: CONDITIONS.get(status) ?? 'it fails' };
}

async function isThere(talk: Conversation, name: string): Promise<boolean> {
  if (name === '' || Buffer.byteLength(name) > MAX_NAME || name.includes('\\')) return false;
  const literal = `'${name.replaceAll("'", "''")}'`;
  const sql = `ROLLBACK; SELECT 1 FROM pg_catalog.pg_constraint WHERE conname = ${literal}
    UNION ALL SELECT 1 FROM pg_catalog.pg_class WHERE relname = ${literal}`;
  const { results, failure } = await talk.exchange(Query.encode({ sql }), true);
  return failure === undefined && (results.at(-1)?.length ?? 0) > 0;
}

function changeOf([schema, table, inserted, updated, deleted]: readonly (
  | string
  | null
)[]): TriedOut['changes'][number] {
  const [ins, upd, del] = [inserted, updated, deleted].map(Number) as [number, number, number];
  return { object: `${schema}.${table}`, inserted: ins, updated: upd, deleted: del };
}
