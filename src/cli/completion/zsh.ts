import { type CompletionPlace, choicesOf, flagsOf, groupsOf, NAMED } from './tree.ts';

/** A script for zsh 5: to be sourced, or saved as `_hoopctl` in a directory of `$fpath`. */
export function zshScript(places: readonly CompletionPlace[]): string {
  const cases = places.map(({ path, words, options, names, files, choices = [] }) => {
    const offers = [
      ...words.map(({ word, text }) => quoted(`${word}:${text}`)),
      ...options.map(({ flags, text }) => quoted(`${flags.at(-1)}:${text}`)),
    ];
    const named = names === undefined ? '' : ` names=${names}`;
    const known = choices.length === 0 ? '' : ` choices=(${choices.join(' ')})`;
    const placed = `${named}${files === true ? ' files=true' : ''}${known}`;
    return `    (${quoted(path.join(' '))})${placed} offers=(\n      ${offers.join('\n      ')}\n    ) ;;`;
  });
  return `#compdef hoopctl
_hoopctl_names() {
  local dir=\${HOOPCTL_CONFIG_DIR:-\${XDG_CONFIG_HOME:-$HOME/.config}/hoopctl} profile=\${HOOPCTL_PROFILE:-default} name i
  for ((i = 2; i + 1 < CURRENT; i++)); do
    [[ $words[i] == --profile ]] && profile=$words[i+1]
  done
  name=$profile.$1
  [[ $1 == profiles ]] && name=profiles
  [[ $name == */* || ! -r $dir/names/$name ]] && return 1
  local -a known=(\${(f)"$(<$dir/names/$name)"})
  compadd -- \${known:#*[^A-Za-z0-9._-]*}
}
_hoopctl() {
  local at='' names='' files='' i
  local -a offers choices
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
${NAMED.map((kind) => `    (${flagsOf(places, kind).join('|')}) _hoopctl_names ${kind}; return ;;`).join('\n')}
${[...choicesOf(places)].map(([flag, choices]) => `    (${flag}) compadd -- ${choices.join(' ')}; return ;;`).join('\n')}
  esac
  ((CURRENT > 2)) && at=$words[2]
  case $at in
    (${groupsOf(places).join('|')}) ((CURRENT > 3)) && at+=" $words[3]" ;;
  esac
  case $at in
${cases.join('\n')}
  esac
  [[ -n $names ]] && _hoopctl_names $names
  [[ -n $files ]] && _files
  ((\${#choices})) && compadd -- $choices
  _describe hoopctl offers
}
if [[ $funcstack[1] == _hoopctl ]]; then _hoopctl "$@"; else compdef _hoopctl hoopctl; fi
`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
