/** What goes wrong, by its code, and what each protocol and the shell are told of it. */
import { EXIT_TEXTS } from '../../src/cli/command.ts';
import { ERROR_TABLE, type ErrorCode } from '../../src/core/errors.ts';
import { HELD_SQLSTATE } from '../../src/protocols/postgres/relay/approvable.ts';
import { SQLSTATE_BY_RULE } from '../../src/protocols/postgres/shown/denial.ts';
import { CONDITIONS } from '../../src/protocols/postgres/shown/sqlstates.ts';
import { WITHHELD_SQLSTATE } from '../../src/protocols/postgres/shown/withheld.ts';
import { SQLSTATE } from '../../src/wire/postgres/sqlstate.ts';
import { code, page, table } from './markdown.ts';

const CODES = Object.keys(ERROR_TABLE) as ErrorCode[];

/** Class 01 with H: the gateway's own notices, of which the standard knows nothing. */
const OWN_NOTICES: readonly (readonly [string, string])[] = [
  [WITHHELD_SQLSTATE, 'a notice: values of this result are masked, in which columns and why'],
  [HELD_SQLSTATE, 'a notice: the statement waits for an approval, whose and until when'],
];

export function errorsReference(): string {
  const intro = [
    '# Errors, exit codes and SQLSTATEs',
    '',
    'One table has every error of hoopctl and hoopd. Programs match the code; `--json` has it in `error.code`, the API in `code` of its',
    'problem document. What to do about each: [Troubleshooting](../troubleshooting.md). Rules that refuse, by name:',
    '[Refusals](../refusals.md).',
  ];
  const errors = CODES.map((name) => {
    const { exit, http, text } = ERROR_TABLE[name];
    return [code(name), text, String(exit), String(http), code(SQLSTATE[name])];
  });
  return page(
    intro,
    ['## Errors'],
    table(['code', 'means', 'exit code', 'HTTP', 'SQLSTATE'], errors),
    ['## Exit codes'],
    [
      "Of hoopctl. With `-- COMMAND` it is the command's own. hoopd's are in [Operations](../operations.md#exit-codes).",
    ],
    table(['exit code', 'means', 'errors'], exits()),
    ['## SQLSTATEs'],
    ["What a client of PostgreSQL is told by the gateway itself. A target's own errors keep theirs."],
    table(['SQLSTATE', 'PostgreSQL calls it', 'the gateway means'], sqlstates()),
  );
}

function exits(): readonly (readonly string[])[] {
  return Object.entries(EXIT_TEXTS).map(([exit, text]) => {
    const of = CODES.filter((name) => ERROR_TABLE[name].exit === Number(exit));
    return [exit, text, of.map(code).join(' ')];
  });
}

function sqlstates(): readonly (readonly string[])[] {
  const means = new Map<string, string[]>(OWN_NOTICES.map(([state, text]) => [state, [text]]));
  const add = (state: string, text: string) => means.set(state, [...(means.get(state) ?? []), text]);
  for (const name of CODES) add(SQLSTATE[name], code(name));
  for (const [rule, state] of Object.entries(SQLSTATE_BY_RULE)) add(state, `rule ${code(rule)}`);
  return [...means]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([state, texts]) => [code(state), CONDITIONS.get(state) ?? '', texts.join(', ')]);
}
