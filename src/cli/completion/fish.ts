import type { CompletionOption, CompletionPlace, NamedKind } from './tree.ts';

/** A script for fish 3: to be sourced, or saved as `~/.config/fish/completions/hoopctl.fish`. */
export function fishScript(places: readonly CompletionPlace[]): string {
  const lines = places.flatMap(({ path, words, options, names, files, choices }) => [
    ...words.map(({ word, text }) => offer('is', path, `-a ${word}`, text)),
    ...options.map((option) => offer('in', path, flagWords(option), option.text)),
    ...(names === undefined ? [] : [offer('in', path, named(names), names)]),
    ...(files === undefined ? [] : [`complete -c hoopctl -n '${test('in', path)}' -F`]),
    ...(choices === undefined
      ? []
      : [`complete -c hoopctl -n '${test('in', path)}' -a '${choices.join(' ')}'`]),
  ]);
  return `# fish completion for hoopctl
function __hoopctl_is
    set -l words (commandline -opc)
    set -e words[1]
    test "$words" = "$argv"
end
function __hoopctl_in
    set -l words (commandline -opc)
    set -e words[1]
    contains -- -- $words; and return 1
    test (count $argv) -eq 0; and test (count $words) -eq 0; and return 0
    test (count $argv) -gt 0; and string match -q -- "$argv *" "$words "
end
function __hoopctl_names
    set -l dir $HOOPCTL_CONFIG_DIR
    test -n "$dir"; or set dir $XDG_CONFIG_HOME/hoopctl
    test -n "$HOOPCTL_CONFIG_DIR$XDG_CONFIG_HOME"; or set dir $HOME/.config/hoopctl
    set -l profile $HOOPCTL_PROFILE
    test -n "$profile"; or set profile default
    set -l words (commandline -opc)
    set -l at (contains -i -- --profile $words); and set profile $words[(math $at + 1)]
    set -l name $profile.$argv
    test "$argv" = profiles; and set name profiles
    string match -q '*/*' -- $name; and return
    test -r $dir/names/$name; and string match -r '^[A-Za-z0-9._-]+$' <$dir/names/$name
end
function __hoopctl_command
    set -l words (commandline -opc)
    set -l at (contains -i -- -- $words); or return
    set -e words[1..$at]
    set -l current (commandline -ct)
    complete -C (string join ' ' -- (string escape -- $words) "$current")
end
complete -c hoopctl -n 'contains -- -- (commandline -opc)' -x -a '(__hoopctl_command)'
complete -c hoopctl -n 'not contains -- -- (commandline -opc)' -f
${lines.join('\n')}
`;
}

function offer(where: 'is' | 'in', path: readonly string[], what: string, text: string): string {
  return `complete -c hoopctl -n '${test(where, path)}' ${what} -d ${quoted(text)}`;
}

function test(where: 'is' | 'in', path: readonly string[]): string {
  return [`__hoopctl_${where}`, ...path].join(' ');
}

function flagWords({ flags, value, choices }: CompletionOption): string {
  const names = flags.map((flag) => (flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`));
  return [...names, ...(choices === undefined ? takes(value) : ['-x', `-a '${choices.join(' ')}'`])].join(
    ' ',
  );
}

function takes(value: CompletionOption['value']): readonly string[] {
  if (value === 'none') return [];
  if (value === 'files') return ['-r', '-F'];
  return value === 'other' ? ['-x'] : ['-x', named(value)];
}

function named(kind: NamedKind): string {
  return `-k -a '(__hoopctl_names ${kind})'`;
}

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
