import { z } from 'zod';
import type { ExplainedColumn } from '../../../../api/explanation.ts';
import type { StatementResult } from '../../../../client/local/postgres/running.ts';
import { foreseen } from '../../beforehand.ts';
import { RESOURCE } from '../../operation.ts';
import { Refused } from '../../refusal.ts';
import { CALL_SECONDS, tool } from '../../tool.ts';
import { DATA, shownName } from '../../words.ts';
import { questionOf, SQL } from './operation.ts';
import { ran } from './statement.ts';
import { maskOf, shownValue, typeName } from './values.ts';

const DEFAULT_ROWS = 100;
const MAX_ROWS = 1_000;
const DEFAULT_BYTES = 64 * 1024;
const MAX_BYTES = 512 * 1024;
/** Of one value, code units. */
const VALUE_CHARS = 8 * 1024;

export const queryPostgres = tool({
  name: 'query_postgres',
  title: 'Query PostgreSQL',
  description:
    'Runs one SQL statement on a PostgreSQL resource, in a session and a transaction of its own, and gives its rows. Policy is ' +
    'asked first: what is refused says why and what to do instead; what needs an approval is not run and nobody is asked: use ' +
    'request_approval. Masked columns are named in `mask`: they can be shown, not compared, sorted by or computed with. Ask for ' +
    'the columns and rows that you need: what is beyond the bounds is left out, and `cut` says so.',
  input: z.strictObject({
    resource: RESOURCE,
    ...SQL,
    max_rows: z
      .int()
      .min(1)
      .max(MAX_ROWS)
      .optional()
      .describe(`Rows that are given, default ${DEFAULT_ROWS}.`),
    max_bytes: z
      .int()
      .min(1_024)
      .max(MAX_BYTES)
      .optional()
      .describe(`Octets of values that are given, default ${DEFAULT_BYTES}.`),
    timeout_seconds: z.int().min(1).max(300).optional().describe(`Default ${CALL_SECONDS}.`),
  }),
  output: z.object({
    untrusted: z.string(),
    columns: z
      .array(
        z.object({
          name: z.string(),
          type: z.string(),
          mask: z.string().optional().describe('How its values are masked for you.'),
        }),
      )
      .optional()
      .describe('Absent: the statement has no rows.'),
    rows: z.array(z.array(z.union([z.string(), z.number(), z.boolean(), z.null()]))),
    cut: z.enum(['rows', 'bytes']).optional().describe('There are more rows, left out by this bound.'),
    command: z.string().optional().describe('What the server says was done: UPDATE 3.'),
    masked: z
      .array(z.string())
      .optional()
      .describe(
        'All that is masked for you in what the statement touches, where columns cannot be told apart.',
      ),
    note: z.string().optional(),
  }),
  protocol: 'postgres',
  changes: true,
  outside: true,
  seconds: ({ timeout_seconds = CALL_SECONDS }) => timeout_seconds,
  async run({ resource, sql, params, max_rows, max_bytes }, { desk, signal }) {
    const question = questionOf({ sql, params });
    const item = await desk.resource(resource, 'postgres');
    const { explanation, refusal } = await foreseen(desk, resource, question, signal);
    const { columns, masked } = explanation;
    const bounds = { rows: max_rows ?? DEFAULT_ROWS, bytes: max_bytes ?? DEFAULT_BYTES };
    const result = await ran(desk, item, question, bounds, signal).catch((error: unknown) => {
      throw refusal !== undefined && error instanceof Refused ? new Refused(refusal) : error;
    });
    const told = columns?.length === result.columns?.length ? columns : undefined;
    return {
      untrusted: DATA,
      ...shownResult(result, told),
      ...(result.columns !== undefined && told === undefined && masked !== undefined
        ? { masked: masked.map((name) => shownName(name)) }
        : {}),
    };
  },
});

/** @param told Of each column, in order. Pure. */
export function shownResult(
  { columns, rows, cut, tag, rolledBack }: StatementResult,
  told: readonly ExplainedColumn[] = [],
) {
  const types = columns?.map(({ typeOid }) => typeOid) ?? [];
  return {
    ...(columns === undefined
      ? {}
      : {
          columns: columns.map(({ name, typeOid }, at) => ({
            name: shownName(name.toString('utf8')),
            type: typeName(typeOid),
            ...maskOf(told[at]),
          })),
        }),
    rows: rows.map((row) => row.map((value, at) => shownValue(value, types[at] ?? 0, VALUE_CHARS))),
    ...(cut === undefined ? {} : { cut }),
    ...(tag === undefined ? {} : { command: shownName(tag) }),
    ...(rolledBack
      ? {
          note: 'it opened a transaction, which was undone at once: each call is a session and a transaction of its own',
        }
      : {}),
  };
}
