import { Command, CommanderError } from 'commander';
import { isHoopError, toHoopError } from '../core/errors.ts';
import { helpColumns, helpLayout } from '../core/terminal/help.ts';
import { Outlet } from '../core/terminal/output.ts';
import { columnsOf, wrapped } from '../core/terminal/prose.ts';
import type { CheckOptions } from './commands/check.ts';
import { tell } from './commands/say.ts';
import { packageVersion } from './version.ts';

/** Of `hoopd check`. */
type CheckCall = CheckOptions & { readonly hostKeys?: string };

const DEFAULT_CONFIG = 'hoopd.yaml';

/** As hoopctl's: a reader that left is told nothing. */
const EXIT_BROKEN_PIPE = 141;

/**
 * Runs `hoopd` and sets the exit code: 0, 64 usage, 69 a target that was asked, 70 internal, 78 configuration, or nothing can be
 * written to standard output.
 *
 * Effects: standard output carries the answer, standard error everything else. Resolves when the command has ended;
 * never rejects.
 *
 * @param argv As `process.argv`.
 */
export async function run(argv: readonly string[]): Promise<void> {
  const out = new Outlet(process.stdout);
  process.stderr.on('error', () => undefined);
  try {
    await hoopdProgram().parseAsync(argv as string[]);
  } catch (error) {
    process.exitCode = explain(error);
  }
  const failed = await out.settled();
  if (failed !== undefined && (process.exitCode ?? 0) === 0)
    process.exitCode = isHoopError(failed) ? explain(failed) : EXIT_BROKEN_PIPE;
}

/** One line on standard error, and the exit code. */
function explain(error: unknown): number {
  if (error instanceof CommanderError) {
    if (error.code === 'commander.excessArguments' && /'(?:check|serve)'/.test(error.message))
      tell('hint: a configuration is named by --config FILE');
    if (error.code === 'commander.unknownCommand' && /'version'/.test(error.message))
      tell('hint: hoopd --version');
    return error.exitCode === 0 ? 0 : 64;
  }
  const known = toHoopError(error);
  const cause = known.code === 'ERR_INTERNAL' && known.detail !== undefined ? ` (${known.detail})` : '';
  const hint = known.hint === undefined ? [] : [`hint: ${known.hint}`];
  tell(`hoopd: ${known.message}${cause}`, ...hint);
  return known.exitCode;
}

/** hoopd's commands, before anything is parsed or run. */
export function hoopdProgram(): Command {
  const width = columnsOf(process.stdout, process.env);
  const hoopd = new Command('hoopd')
    .description('The gateway: identity, policy, masking and proof in front of what agents reach')
    .version(packageVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .helpCommand('help [command]', 'print the help of a command')
    .addHelpText(
      'after',
      wrapped(
        '\nHow to run it: docs/operations.md. Every key of its file: docs/configuration.md.',
        helpColumns(width),
      ),
    )
    .configureHelp(helpLayout(width))
    .configureOutput({
      outputError: (text) =>
        tell(
          text
            .trimEnd()
            .replace(/^error: /, 'hoopd: ')
            .replace(/^\(Did (.*)\)$/m, 'hint: did $1'),
        ),
    })
    .exitOverride()
    .showHelpAfterError('hint: see hoopd --help');
  hoopd
    .command('serve')
    .description('serve until told to stop; SIGHUP reloads, SIGTERM drains, a second one stops at once')
    .option('-c, --config <file>', 'the configuration', DEFAULT_CONFIG)
    .option('--log-level <level>', 'debug, info, warn or error', 'info')
    .action(async (options: { config: string; logLevel: string }) => {
      const { serve } = await import('./commands/serve.ts');
      process.exitCode = await serve(options);
    });
  hoopd
    .command('check')
    .description('check configuration and policies; exit code 78 if there are mistakes')
    .option('-c, --config <file>', 'the configuration', DEFAULT_CONFIG)
    .option('--json', 'one JSON object on standard output')
    .option('--without-secrets', 'do not look secrets up: for CI')
    .option('--targets', 'ask targets, too, whether they have what configuration and rules name')
    .option('--schema', 'print the JSON Schema of the configuration and do nothing else')
    .option('--host-keys <host:port>', 'print the keys that a host shows now and do nothing else')
    .action(async ({ hostKeys: place, ...options }: CheckCall) => {
      if (place !== undefined) {
        const { hostKeys } = await import('./commands/host-keys.ts');
        process.exitCode = await hostKeys(place, options.json === true);
        return;
      }
      const { check } = await import('./commands/check.ts');
      process.exitCode = await check(options);
    });
  hoopd
    .command('init')
    .description('write a working starter: configuration, policies, keys and a local certificate')
    .argument('[directory]', 'where to; existing files are never overwritten', '.')
    .option('--json', 'one JSON object on standard output')
    .action(async (directory: string, options: { json?: true }) => {
      const { init } = await import('./commands/init.ts');
      process.exitCode = await init(directory, options);
    });
  hoopd
    .command('demo')
    .description(
      'start a whole demonstration on this machine: PostgreSQL, identity provider, gateway, an agent',
    )
    .allowUnknownOption()
    .allowExcessArguments()
    .helpOption(false)
    .action(async (_options: unknown, command: Command) => {
      const { runDemo } = await import('../demo/main.ts');
      process.exitCode = await runDemo(command.args);
    });
  return hoopd;
}
