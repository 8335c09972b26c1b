/** What a page says of a command, read out of the programs' own tables: for man pages and the reference. */
import type { Command } from 'commander';
import { type CommandSpec, EXIT_TEXTS, optionsOf } from '../../src/cli/command.ts';
import { COMMANDS } from '../../src/cli/commands/index.ts';
import { buildProgram, nameOf } from '../../src/cli/program.ts';
import { hoopdProgram } from '../../src/gateway/main.ts';

export interface CommandPage {
  /** `hoopctl audit search`. */
  readonly name: string;
  /** One line, lower case, no period. */
  readonly summary: string;
  readonly description?: string;
  /** `hoopctl connect [options] <resource...> [-- command...]`. */
  readonly usage: string;
  readonly arguments: readonly Term[];
  readonly options: readonly Term[];
  readonly examples: readonly string[];
  /** By code, ascending. */
  readonly exits: readonly (readonly [code: number, text: string])[];
  /** Of a command that runs another. */
  readonly ownExit: boolean;
}

export interface Term {
  readonly term: string;
  readonly text: string;
}

export interface Manual {
  readonly name: 'hoopctl' | 'hoopd';
  readonly summary: string;
  readonly pages: readonly CommandPage[];
}

export function hoopctlManual(): Manual {
  const hooks = { version: '', out: () => undefined, run: async () => undefined };
  const program = buildProgram(COMMANDS, hooks);
  return { name: 'hoopctl', summary: program.description(), pages: COMMANDS.map(pageOf) };
}

export function hoopdManual(): Manual {
  const program = hoopdProgram();
  return { name: 'hoopd', summary: program.description(), pages: program.commands.map(pageOfCommand) };
}

function pageOf(spec: CommandSpec): CommandPage {
  const codes = [...new Set([0, 64, ...spec.exitCodes, 70])].toSorted((a, b) => a - b);
  const given = (spec.arguments ?? []).map(({ syntax, text }) => ({ term: syntax, text }));
  return {
    name: `hoopctl ${nameOf(spec)}`,
    summary: spec.summary,
    ...(spec.description === undefined ? {} : { description: spec.description }),
    usage: [
      `hoopctl ${nameOf(spec)} [options]`,
      ...given.map(({ term }) => term),
      ...(spec.takesCommand ? ['[-- command...]'] : []),
    ].join(' '),
    arguments: given,
    options: optionsOf(spec).map(({ flags, text }) => ({ term: flags, text })),
    examples: spec.examples,
    exits: codes.map((code) => [code, EXIT_TEXTS[code] ?? '']),
    ownExit: spec.takesCommand === true,
  };
}

/** hoopd's commands are commander's own; all of them end with one of its exit codes. */
function pageOfCommand(command: Command): CommandPage {
  const name = `hoopd ${command.name()}`;
  return {
    name,
    summary: command.description(),
    usage: `${name} ${command.usage()}`,
    arguments: command.registeredArguments.map((one) => ({
      term: one.required ? `<${one.name()}>` : `[${one.name()}]`,
      text: withDefault(one.description, one.defaultValue),
    })),
    options: command.options.map(({ flags, description, defaultValue }) => ({
      term: flags,
      text: withDefault(description, defaultValue),
    })),
    examples: [],
    exits: [],
    ownExit: false,
  };
}

function withDefault(text: string, value: unknown): string {
  return typeof value === 'string' ? `${text} (default ${value})` : text;
}
