import { Command, CommanderError } from 'commander';
import { toHoopError } from '../core/errors.ts';
import type { CheckOptions } from './commands/check.ts';
import { packageVersion } from './version.ts';

/** Of `hoopd check`. */
type CheckCall = CheckOptions & { readonly hostKeys?: string };

const DEFAULT_CONFIG = 'hoopd.yaml';

/**
 * Runs `hoopd` and sets the exit code: 0, 64 usage, 69 a target that was asked, 70 internal, 78 configuration.
 *
 * Effects: standard output carries the answer, standard error everything else. Resolves when the command has ended;
 * never rejects.
 *
 * @param argv As `process.argv`.
 */
export async function run(argv: readonly string[]): Promise<void> {
  try {
    await hoopdProgram().parseAsync(argv as string[]);
  } catch (error) {
    process.exitCode = explain(error);
  }
}

/** One line on standard error, and the exit code. */
function explain(error: unknown): number {
  if (error instanceof CommanderError) {
    if (error.code === 'commander.excessArguments' && /'(?:check|serve)'/.test(error.message))
      process.stderr.write('hint: a configuration is named by --config FILE\n');
    if (error.code === 'commander.unknownCommand' && /'version'/.test(error.message))
      process.stderr.write('hint: hoopd --version\n');
    return error.exitCode === 0 ? 0 : 64;
  }
  const known = toHoopError(error);
  const cause = known.code === 'ERR_INTERNAL' && known.detail !== undefined ? ` (${known.detail})` : '';
  process.stderr.write(`hoopd: ${known.message}${cause}\n`);
  if (known.hint !== undefined) process.stderr.write(`hint: ${known.hint}\n`);
  return known.exitCode;
}

/** hoopd's commands, before anything is parsed or run. */
export function hoopdProgram(): Command {
  const hoopd = new Command('hoopd')
    .description('The gateway: identity, policy, masking and proof in front of what agents reach')
    .version(packageVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .helpCommand('help [command]', 'print the help of a command')
    .addHelpText(
      'after',
      '\nHow to run it: docs/operations.md. Every key of its file: docs/configuration.md.',
    )
    .configureOutput({
      outputError: (text, write) =>
        write(text.replace(/^error: /, 'hoopd: ').replace(/^\(Did (.*)\)$/m, 'hint: did $1')),
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
