import type { CompletionOption, CompletionPlace } from './tree.ts';

/** A script for fish 3: to be sourced, or saved as `~/.config/fish/completions/hoopctl.fish`. */
export function fishScript(places: readonly CompletionPlace[]): string {
  const lines = places.flatMap(({ path, words, options }) => [
    ...words.map(({ word, text }) => offer('is', path, `-a ${word}`, text)),
    ...options.map((option) => offer('in', path, flagWords(option), option.text)),
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
complete -c hoopctl -n 'not contains -- -- (commandline -opc)' -f
${lines.join('\n')}
`;
}

function offer(test: 'is' | 'in', path: readonly string[], what: string, text: string): string {
  return `complete -c hoopctl -n '${[`__hoopctl_${test}`, ...path].join(' ')}' ${what} -d ${quoted(text)}`;
}

function flagWords({ flags, value }: CompletionOption): string {
  const names = flags.map((flag) => (flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`));
  const takes = { none: [], files: ['-r', '-F'], other: ['-x'] }[value];
  return [...names, ...takes].join(' ');
}

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
