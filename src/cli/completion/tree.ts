import type { Command } from 'commander';

import type { NameKind } from '../../client/store/names.ts';
import type { CommandSpec } from '../command.ts';

/** What is completed with names that hoopctl has listed before. */
export type NamedKind = NameKind | 'profiles';

/** What a value of an option is completed with: `files`, names, or nothing that a shell could know. */
type ValueKind = 'none' | 'files' | 'other' | NamedKind;

export interface CompletionOption {
  /** `--ca`, and `-h` where there is a short one. */
  readonly flags: readonly string[];
  readonly text: string;
  readonly value: ValueKind;
  /** All values that there are. */
  readonly choices?: readonly string[];
}

/** One place in the tree of commands: what may follow there. */
export interface CompletionPlace {
  /** `[]`, `['audit']`, `['audit', 'search']`. */
  readonly path: readonly string[];
  readonly words: readonly { readonly word: string; readonly text: string }[];
  readonly options: readonly CompletionOption[];
  /** What its arguments are names of. */
  readonly names?: NamedKind;
  /** Its arguments are files. */
  readonly files?: true;
  /** All values that its argument can have. */
  readonly choices?: readonly string[];
}

export const NAMED: readonly NamedKind[] = ['resources', 'sessions', 'approvals', 'profiles'];

/** Options whose values are names. */
const NAMED_OPTIONS: Readonly<Record<string, NamedKind>> = {
  '--profile': 'profiles',
  '--resource': 'resources',
  '--session': 'sessions',
  '--approval': 'approvals',
};

/** By what the text of an argument tells where its values come from. */
const NAMED_ARGUMENTS: readonly (readonly [RegExp, NamedKind])[] = [
  [/\bhoopctl resource list\b/, 'resources'],
  [/\bses_/, 'sessions'],
  [/\bapr_/, 'approvals'],
];

const FILES = /[<[](file|directory|path|dir)[\]>]/;

/**
 * Reads the places out of commander's tree, the root first. Pure.
 *
 * @param program Built whole: see `buildProgram` without arguments.
 * @param specs What it was built of.
 */
export function completionPlaces(
  program: Command,
  specs: readonly CommandSpec[],
): readonly CompletionPlace[] {
  const byName = new Map(specs.map((spec) => [spec.path.join(' '), spec]));
  return placesBelow(program, [], byName);
}

function placesBelow(
  command: Command,
  path: readonly string[],
  specs: ReadonlyMap<string, CommandSpec>,
): CompletionPlace[] {
  const children = command.commands.toSorted((a, b) => (a.name() < b.name() ? -1 : 1));
  const spec = specs.get(path.join(' '));
  const choices = new Map(spec?.options?.map((one) => [one.flags, one.choices] as const));
  const options = command.createHelp().visibleOptions(command);
  const place: CompletionPlace = {
    path,
    words: children.map((child) => ({ word: child.name(), text: textOf(child) })),
    options: options.map((option) => ({ ...optionOf(option), ...chosen(choices.get(option.flags)) })),
    ...argumentOf(spec),
  };
  return [place, ...children.flatMap((child) => placesBelow(child, [...path, child.name()], specs))];
}

function argumentOf(spec: CommandSpec | undefined): Pick<CompletionPlace, 'names' | 'files' | 'choices'> {
  const [first] = spec?.arguments ?? [];
  if (first === undefined) return {};
  if (FILES.test(first.syntax)) return { files: true };
  const found = NAMED_ARGUMENTS.find(([text]) => text.test(first.text));
  return found === undefined ? chosen(first.choices) : { names: found[1] };
}

function chosen(choices: readonly string[] | undefined): { choices?: readonly string[] } {
  return choices === undefined ? {} : { choices };
}

function textOf(command: Command): string {
  return command.summary() || command.description().split('\n')[0]!;
}

function optionOf(option: {
  readonly flags: string;
  readonly description: string;
  readonly short?: string | undefined;
  readonly long?: string | undefined;
}): CompletionOption {
  const flags = [option.short, option.long].filter((flag) => flag !== undefined);
  return { flags, text: option.description, value: valueKind(option.flags, option.long) };
}

function valueKind(flags: string, long: string | undefined): ValueKind {
  if (!/[<[]/.test(flags)) return 'none';
  return FILES.test(flags) ? 'files' : (NAMED_OPTIONS[long ?? ''] ?? 'other');
}

/** Everything that may stand at a place, short flags left out: they need no help. */
export function wordsOf({ words, options }: Pick<CompletionPlace, 'words' | 'options'>): readonly string[] {
  return [...words.map(({ word }) => word), ...options.map(({ flags }) => flags.at(-1)!)];
}

/** Every flag of any place that takes a value of this kind. */
export function flagsOf(places: readonly CompletionPlace[], kind: ValueKind): readonly string[] {
  const flags = places.flatMap(({ options }) =>
    options.filter(({ value, choices }) => value === kind && choices === undefined),
  );
  return [...new Set(flags.flatMap((option) => option.flags))].toSorted();
}

/** Words that need a second one. */
export function groupsOf(places: readonly CompletionPlace[]): readonly string[] {
  return places.filter(({ path, words }) => path.length > 0 && words.length > 0).map(({ path }) => path[0]!);
}

/** Flags whose values are all known, with these: no flag has others at another place. */
export function choicesOf(places: readonly CompletionPlace[]): ReadonlyMap<string, readonly string[]> {
  const options = places.flatMap((place) => place.options);
  return new Map(
    options.flatMap(({ flags, choices }) =>
      choices === undefined ? [] : flags.map((flag) => [flag, choices] as const),
    ),
  );
}
