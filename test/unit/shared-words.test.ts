import { describe, expect, it } from 'vitest';
import { readSources } from '../support/source-tree.ts';

/** Rooms of one protocol, or of the parts that play one; everything else is shared and names none. */
const OWN =
  /^src\/(protocols\/postgres|wire\/postgres|client\/local\/postgres|cli\/connect\/clients\/postgres|cli\/mcp\/tools\/postgres|cli\/policy\/packs|demo|gateway\/init)\b|^src\/policy\/vocabulary\/sql\.ts$/;

/**
 * Names of a protocol and of what it speaks, as whole words or parts of a name in camel case. Tables and columns are not
 * among them: consoles and code have these too.
 */
const WORDS = [
  'postgres',
  'postgresql',
  'pg',
  'psql',
  'sql',
  'sqlstate',
  'libpq',
  'pgpass',
  'statement',
  'statements',
] as const;

/** Reasons that hold in several places. */
const EXAMPLE = 'an example: `pg` is how a resource may be called, `sql.read` what may be done there';
const REMARK = 'a comment or a text takes a statement as its example';
const SQLITE = "SQLite's: the index is a database";
const MECHANISM = "the mechanism's page, and what its other implementations do with a password";

/** What a shared room may say all the same: file, words, reason. */
const EXCEPTIONS: readonly (readonly [path: string, words: string, because: string])[] = [
  ['src/api/contract.ts', 'sql', 'a kind of proof is named with the form in which it is kept'],
  [
    'src/audit/event.ts',
    'pg sql sqlstate statement',
    'examples, and the word of 0.1 that records still hold',
  ],
  ['src/audit/shape.ts', 'statement', REMARK],
  ['src/cli/attenuation.ts', 'pg sql', EXAMPLE],
  ['src/cli/commands/audit/search.ts', 'sql statements', EXAMPLE],
  ['src/cli/commands/connect.ts', 'pg sql', EXAMPLE],
  ['src/cli/commands/session/list.ts', 'pg', EXAMPLE],
  ['src/cli/commands/session/replay.ts', 'statements', REMARK],
  ['src/cli/commands/whoami.ts', 'pg', EXAMPLE],
  ['src/cli/commands/agents/agent-guide.ts', 'pg', EXAMPLE],
  ['src/cli/commands/agents/mcp.ts', 'pg sql', EXAMPLE],
  ['src/cli/connect/clients/index.ts', 'postgres', 'the list, one line each'],
  ['src/cli/mcp/tools/index.ts', 'postgres', 'the list, one line each'],
  ['src/cli/mcp/tools/operations.ts', 'postgres sql', 'the list, one line each'],
  ['src/cli/replay/printer.ts', 'statement', REMARK],
  ['src/core/errors.ts', 'sqlstate', 'says where a protocol has its own table'],
  ['src/core/log.ts', 'statement', REMARK],
  ['src/core/config/shape.ts', 'pg', EXAMPLE],
  ['src/core/evidence/audit-chain.ts', 'statement', REMARK],
  ['src/enforcement/denial.ts', 'statement', REMARK],
  ['src/enforcement/judge.ts', 'statement', REMARK],
  ['src/enforcement/operation.ts', 'statement', REMARK],
  ['src/gateway/log.ts', 'statement', REMARK],
  ['src/gateway/main.ts', 'sql', 'help of the demonstration, which plays with PostgreSQL'],
  ['src/gateway/config/materials.ts', 'pg statement', EXAMPLE],
  ['src/core/config/mistake.ts', 'pg', EXAMPLE],
  ['src/gateway/sessions/idle-timer.ts', 'statement', REMARK],
  ['src/identity/attenuation.ts', 'sql', EXAMPLE],
  ['src/identity/principal.ts', 'statements', REMARK],
  ['src/masking/mask.ts', 'sql', 'a comment says whose null `null` is'],
  ['src/policy/engine.ts', 'statement statements', REMARK],
  ['src/policy/model.ts', 'pg statement', EXAMPLE],
  ['src/protocols/index.ts', 'postgres', 'the list, one line each'],
  ['src/protocols/protocol.ts', 'pg postgres', 'an example in a comment'],
  ['src/protocols/http/shown/plan.ts', 'sql', 'the media type of a text'],
  ['src/protocols/stream/command/takes-commands.ts', 'psql', 'a program that a host may run, among others'],
  ['src/protocols/stream/guard.ts', 'statement', REMARK],
  [
    'src/recording/format.ts',
    'sql statement statements',
    'a comment says what each protocol writes, a line each',
  ],
  ['src/recording/recorder.ts', 'statement', REMARK],
  ['src/recording/stream-recorder.ts', 'statement', REMARK],
  ['src/search/answers.ts', 'sql', SQLITE],
  ['src/search/keys.ts', 'sql', EXAMPLE],
  ['src/search/object-names.ts', 'pg', EXAMPLE],
  ['src/search/stored-event.ts', 'sqlstate', 'events of 0.1 have it where a status is now'],
  ['src/search/writer.ts', 'sql statement statements', SQLITE],
  ['src/wire/scram/client.ts', 'sql', MECHANISM],
  ['src/wire/scram/keys.ts', 'pg postgresql sql', MECHANISM],
  ['src/wire/scram/saslprep.ts', 'libpq pg sql', MECHANISM],
  ['src/wire/scram/server.ts', 'sql', MECHANISM],
  ['src/wire/scram/verifier.ts', 'pg postgresql sql', MECHANISM],
];

/** Words of the code, comments included: identifiers are cut where a capital begins. */
function wordsOf(text: string): { readonly word: string; readonly line: number }[] {
  return text
    .split('\n')
    .flatMap((row, index) =>
      [...row.matchAll(/[A-Za-z][A-Za-z]*/g)]
        .flatMap(([name]) => name.split(/(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])/))
        .map((word) => ({ word: word.toLowerCase(), line: index + 1 })),
    );
}

describe('shared rooms', () => {
  const found = readSources('src')
    .filter(({ path }) => !OWN.test(path))
    .flatMap(({ path, text }) =>
      wordsOf(text)
        .filter(({ word }) => (WORDS as readonly string[]).includes(word))
        .map(({ word, line }) => ({ path, word, line })),
    );

  it('name no protocol and nothing of its language', () => {
    const excused = ({ path, word }: { path: string; word: string }) =>
      EXCEPTIONS.some(([of, words]) => of === path && words.split(' ').includes(word));
    const said = found.filter((one) => !excused(one));
    expect(said.map(({ path, word, line }) => `${path}:${line} says ${word}`)).toEqual([]);
  });

  it('have no exception that nothing needs', () => {
    const idle = EXCEPTIONS.flatMap(([path, words]) =>
      words
        .split(' ')
        .filter((word) => !found.some((one) => one.path === path && one.word === word))
        .map((word) => `${path}: ${word}`),
    );
    expect(idle).toEqual([]);
  });
});
