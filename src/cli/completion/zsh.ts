import { type CompletionPlace, flagsOf, groupsOf } from './tree.ts';

/** A script for zsh 5: to be sourced, or saved as `_hoopctl` in a directory of `$fpath`. */
export function zshScript(places: readonly CompletionPlace[]): string {
  const cases = places.map(({ path, words, options }) => {
    const offers = [
      ...words.map(({ word, text }) => quoted(`${word}:${text}`)),
      ...options.map(({ flags, text }) => quoted(`${flags.at(-1)}:${text}`)),
    ];
    return `    (${quoted(path.join(' '))}) offers=(\n      ${offers.join('\n      ')}\n    ) ;;`;
  });
  return `#compdef hoopctl
_hoopctl() {
  local at='' i
  local -a offers
  for ((i = 2; i < CURRENT; i++)); do
    if [[ $words[i] == -- ]]; then
      shift $i words
      ((CURRENT -= i))
      _normal
      return
    fi
  done
  case $words[CURRENT-1] in
    (${flagsOf(places, 'files').join('|')}) _files; return ;;
    (${flagsOf(places, 'other').join('|')}) return ;;
  esac
  ((CURRENT > 2)) && at=$words[2]
  case $at in
    (${groupsOf(places).join('|')}) ((CURRENT > 3)) && at+=" $words[3]" ;;
  esac
  case $at in
${cases.join('\n')}
  esac
  _describe hoopctl offers
}
if [[ $funcstack[1] == _hoopctl ]]; then _hoopctl "$@"; else compdef _hoopctl hoopctl; fi
`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
