import { HoopError } from '../../core/errors.ts';
import type { Invocation } from '../command.ts';
import { COMMANDS } from '../commands/index.ts';
import { buildProgram } from '../program.ts';
import { bashScript } from './bash.ts';
import { fishScript } from './fish.ts';
import { type CompletionPlace, completionPlaces } from './tree.ts';
import { zshScript } from './zsh.ts';

const SCRIPTS: Readonly<Record<string, (places: readonly CompletionPlace[]) => string>> = {
  bash: bashScript,
  fish: fishScript,
  zsh: zshScript,
};

/** Prints the script for one shell, made from the tree of commands itself. @throws {HoopError} `ERR_USAGE`. */
export async function runCompletion({ args: [shell = ''], io }: Invocation): Promise<undefined> {
  const make = Object.hasOwn(SCRIPTS, shell) ? SCRIPTS[shell] : undefined;
  if (make === undefined) {
    throw new HoopError('ERR_USAGE', `no completion for the shell "${shell}"`, {
      hint: `one of: ${Object.keys(SCRIPTS).join(', ')}`,
    });
  }
  const hooks = { version: '', out: () => undefined, run: async () => undefined };
  const script = make(completionPlaces(buildProgram(COMMANDS, hooks), COMMANDS));
  if (io.json) return void (await io.value({ shell, script }));
  await io.write(script);
}
