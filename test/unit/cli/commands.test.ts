import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type CommandSpec, EXIT_TEXTS, optionsOf } from '../../../src/cli/command.ts';
import { COMMANDS } from '../../../src/cli/commands/index.ts';
import { buildProgram, nameOf, runProgram, splitCommand } from '../../../src/cli/program.ts';

const REFERENCE = readFileSync(new URL('../../../docs/cli.md', import.meta.url), 'utf8');

async function helpOf(path: readonly string[]): Promise<string> {
  let text = '';
  const hooks = {
    version: '1.2.3',
    out: (chunk: string) => {
      text += chunk;
    },
    run: async () => undefined,
  };
  await runProgram(COMMANDS, hooks, [...path, '--help']);
  return text;
}

function flagOf(flags: string): string {
  return /--[a-z-]+/.exec(flags)![0];
}

describe.each(COMMANDS.map((spec) => [nameOf(spec), spec] as const))('%s', (name, spec: CommandSpec) => {
  test('has a summary of one plain line, examples of itself, and known exit codes', () => {
    expect(spec.summary).toMatch(/^[a-z].*[^.]$/);
    expect(spec.examples.length).toBeGreaterThan(0);
    for (const example of spec.examples) expect(example).toContain(`hoopctl ${name}`);
    for (const code of spec.exitCodes) expect(EXIT_TEXTS).toHaveProperty(String(code));
    for (const { text } of optionsOf(spec)) expect(text).not.toMatch(/\.$/);
  });

  test('helps: summary, every option, examples, exit codes', async () => {
    const text = (await helpOf(spec.path)).replace(/\s+/g, ' ');
    expect(text).not.toMatch(/, [(),.]/);
    expect(text).toContain(spec.summary);
    for (const { flags } of optionsOf(spec)) expect(text).toContain(flagOf(flags));
    for (const example of spec.examples) expect(text).toContain(example);
    expect(text).toContain('Exit codes: 0 done 64 the call is not valid');
    for (const code of spec.exitCodes) expect(text).toContain(`${code} ${EXIT_TEXTS[code]}`);
  });

  test('stands in the reference with everything it takes', () => {
    const [, ...sections] = REFERENCE.split(/^### /m);
    const section = sections.find((part) => part.startsWith(`hoopctl ${name}\n`));
    expect(section, `docs/cli.md has no section "### hoopctl ${name}"`).toBeDefined();
    for (const { flags } of spec.options ?? []) expect(section).toContain(flagOf(flags));
    for (const { syntax } of spec.arguments ?? []) expect(section).toContain(syntax);
    for (const code of spec.exitCodes) expect(section).toContain(String(code));
  });
});

test('the reference names the common options, every exit code and the environment', () => {
  const common = new Set(COMMANDS.flatMap((spec) => optionsOf(spec).map(({ flags }) => flagOf(flags))));
  for (const flag of common) expect(REFERENCE).toContain(flag);
  for (const code of Object.keys(EXIT_TEXTS)) expect(REFERENCE).toMatch(new RegExp(`^\\| ${code} \\|`, 'm'));
  const names = ['GATEWAY', 'TOKEN', 'TOKEN_FILE', 'PROFILE', 'CONFIG_DIR', 'SECRET_STORE'].map(
    (name) => `HOOPCTL_${name}`,
  );
  for (const name of [...names, 'NO_COLOR', 'HTTPS_PROXY', 'NO_PROXY', 'NODE_EXTRA_CA_CERTS']) {
    expect(REFERENCE).toContain(`\`${name}\``);
  }
});

test('names are a noun and a verb, few are one word, and no two are the same', () => {
  const names = COMMANDS.map(nameOf);
  expect(new Set(names).size).toBe(names.length);
  for (const { path } of COMMANDS) expect(path.length).toBeLessThanOrEqual(2);
});

describe('what is typed', () => {
  const calls: { name: string; args: readonly string[]; options: object; command: readonly string[] }[] = [];
  const hooks = {
    version: '1.2.3',
    out: () => undefined,
    run: async (
      spec: CommandSpec,
      call: { args: readonly string[]; options: object; command: readonly string[] },
    ) => {
      calls.push({ name: nameOf(spec), ...call });
    },
  };
  const type = async (...argv: string[]) => {
    calls.length = 0;
    await runProgram(COMMANDS, hooks, argv);
    return calls[0]!;
  };

  test('everything behind -- is the child’s', async () => {
    const call = await type('connect', 'pg', '--port', '5', '--', 'psql', '--port', '6', '--', '-c', 'x');
    expect(call).toMatchObject({ name: 'connect', args: ['pg'], options: { port: '5' } });
    expect(call.command).toEqual(['psql', '--port', '6', '--', '-c', 'x']);
    expect(splitCommand(['a'])).toEqual({ own: ['a'], command: [] });
  });

  test('words of a query are one list, options keep their names', async () => {
    const call = await type('audit', 'search', 'drop', 'table', '--since', '1h', '--decision=deny', '--json');
    expect(call).toMatchObject({
      args: ['drop', 'table'],
      options: { since: '1h', decision: 'deny', json: true },
    });
  });

  test.each([
    [[], /a command is missing/],
    [['audit'], /a command is missing/],
    [['conect', 'x'], /unknown command 'conect'/],
    [['help', 'conect'], /unknown command 'conect'/],
    [['audit', 'serch', '--help'], /unknown command 'serch'/],
    [['connect'], /missing required argument 'resource'/],
    [['session', 'show', 'a', 'b'], /too many arguments/],
    [['whoami', '--jsno'], /unknown option '--jsno'/],
    [['whoami', '--profile'], /argument missing/],
    [['whoami', '--', 'x'], /takes no -- COMMAND/],
    [['connect', 'x', '--'], /a command is expected/],
    [['audit', 'search', '--agent', ''], /--agent is empty/],
    [['connect', 'x', '--wait='], /--wait is empty/],
    [['session', 'list', '--agent', 'a', '--agent=b'], /--agent is given twice, as a and as b/],
  ])('%j is a usage error with a way on', async (argv, message) => {
    await expect(type(...(argv as string[]))).rejects.toMatchObject({
      code: 'ERR_USAGE',
      message: expect.stringMatching(message),
      hint: expect.stringMatching(/see: hoopctl .*--help$/),
    });
  });

  test.each([
    ['audit search', ['--limit', '50', '--limit', '5'], { limit: '5' }],
    ['audit search', ['--since', '1h', '--since=2h'], { since: '2h' }],
    ['connect', ['pg', '--port', '1', '--port', '2'], { port: '2' }],
  ])('of two quantities the last counts: %s %j', async (command, more, options) => {
    expect((await type(...command.split(' '), ...more)).options).toMatchObject(options);
  });
});

test.each([
  [['help'], ['--help']],
  [
    ['help', 'audit', 'search'],
    ['audit', 'search', '--help'],
  ],
  [['version'], ['--version']],
])('%j is %j', async (typed, asked) => {
  const said = async (argv: readonly string[]) => {
    let text = '';
    const out = (chunk: string) => {
      text += chunk;
    };
    await runProgram(COMMANDS, { version: '1.2.3', out, run: async () => undefined }, argv);
    return text;
  };
  expect(await said(typed)).toBe(await said(asked));
});

test.each([
  [
    ['connect', 'pg', 'psql', '-c', 'x'],
    'what is to run stands behind --: hoopctl connect … -- COMMAND; see: hoopctl connect --help',
  ],
  [
    ['ssh', 'host-1', 'ls'],
    'what is to run stands behind --: hoopctl ssh … -- COMMAND; see: hoopctl ssh --help',
  ],
  [
    ['run', './agent.sh', '-v'],
    'what is to run stands behind --: hoopctl run … -- COMMAND; see: hoopctl run --help',
  ],
  [['connect', 'pg', '--reson', 'x'], 'did you mean --reason? see: hoopctl connect --help'],
  [['resource', 'lst'], 'did you mean list? see: hoopctl resource --help'],
  [['session', 'show', 'a', 'b'], 'see: hoopctl session show --help'],
  [
    ['policy', 'check', 'hoopd.yaml'],
    "a gateway's configuration and its policies are checked by: hoopd check --config FILE; see: hoopctl policy --help",
  ],
  [['get', 'resources'], 'here that is hoopctl resource list; see: hoopctl --help'],
  [['resource', 'show', 'pg'], 'here that is hoopctl resource list; see: hoopctl resource --help'],
  [['logs'], 'here that is hoopctl audit search, or hoopctl session replay ID; see: hoopctl --help'],
  [['explain', 'pg'], 'there is hoopctl policy explain; see: hoopctl --help'],
  [
    ['policy', 'explain', 'pg', 'select 1'],
    "its text stands behind -c: hoopctl policy explain RESOURCE -c 'TEXT'; see: hoopctl policy explain --help",
  ],
  [
    ['resource', 'list', '-o', 'json'],
    '--json is the one other form of output; see: hoopctl resource list --help',
  ],
  [
    ['--profile', 'grace', 'approval', 'list'],
    'options stand behind the command: hoopctl COMMAND --profile; see: hoopctl --help',
  ],
  [['serve'], "the gateway's own program does it: hoopd serve; see: hoopctl --help"],
])('%j is told what was probably meant', async (argv, hint) => {
  const hooks = { version: '1.2.3', out: () => undefined, run: async () => undefined };
  await expect(runProgram(COMMANDS, hooks, argv)).rejects.toMatchObject({ code: 'ERR_USAGE', hint });
});

test('every group of commands says what it is for', async () => {
  const groups = new Set(COMMANDS.filter(({ path }) => path.length > 1).map(({ path }) => path[0]!));
  const help = await helpOf([]);
  for (const group of groups) expect(help).not.toMatch(new RegExp(`^ +${group} +${group}$`, 'm'));
});

test('help and version are answers, not failures', async () => {
  expect(await helpOf([])).toContain('Usage: hoopctl');
  const hooks = { version: '1.2.3', out: () => undefined, run: async () => undefined };
  const program = buildProgram(COMMANDS, hooks, []);
  expect(program.version()).toBe('1.2.3');
});
