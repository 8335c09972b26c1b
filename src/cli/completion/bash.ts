import { type CompletionPlace, choicesOf, flagsOf, groupsOf, NAMED, wordsOf } from './tree.ts';

/**
 * A script for bash 3.2 and later. It runs nothing, and knows what this version of hoopctl takes. Names that it offers
 * are read as text and never expanded.
 */
export function bashScript(places: readonly CompletionPlace[]): string {
  const cases = places.map(
    ({ path, ...place }) =>
      `    '${path.join(' ')}') words='${[...(place.choices ?? []), ...wordsOf(place)].join(' ')}' names='${place.names ?? ''}' files='${place.files ?? ''}' ;;`,
  );
  return `# bash completion for hoopctl
_hoopctl_names() {
  local dir=\${HOOPCTL_CONFIG_DIR:-\${XDG_CONFIG_HOME:-$HOME/.config}/hoopctl} profile=\${HOOPCTL_PROFILE:-default} name i
  for ((i = 1; i + 1 < COMP_CWORD; i++)); do
    if [[ \${COMP_WORDS[i]} == --profile ]]; then profile=\${COMP_WORDS[i + 1]}; fi
  done
  if [[ $1 == profiles ]]; then name=profiles; else name=$profile.$1; fi
  if [[ $name == */* || ! -r $dir/names/$name ]]; then return; fi
  while read -r name; do
    if [[ $name == "$cur"* && $name != *[!A-Za-z0-9._-]* ]]; then COMPREPLY+=("$name"); fi
  done <"$dir/names/$name"
}
_hoopctl_files() {
  local name
  compopt -o filenames 2>/dev/null
  while read -r name; do COMPREPLY+=("$name"); done < <(compgen -f -- "$cur")
}
_hoopctl() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} at='' words='' names='' files='' i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    if [[ \${COMP_WORDS[i]} == -- ]]; then
      if declare -F _command_offset >/dev/null; then _command_offset $((i + 1))
      elif ((i + 1 == COMP_CWORD)); then COMPREPLY=($(compgen -c -- "$cur"))
      else _hoopctl_files; fi
      return
    fi
  done
  case $prev in
    ${flagsOf(places, 'files').join('|')}) _hoopctl_files; return ;;
    ${flagsOf(places, 'other').join('|')}) return ;;
${NAMED.map((kind) => `    ${flagsOf(places, kind).join('|')}) _hoopctl_names ${kind}; return ;;`).join('\n')}
${[...choicesOf(places)].map(([flag, choices]) => `    ${flag}) COMPREPLY=($(compgen -W '${choices.join(' ')}' -- "$cur")); return ;;`).join('\n')}
  esac
  if ((COMP_CWORD > 1)); then at=\${COMP_WORDS[1]}; fi
  case $at in
    ${groupsOf(places).join('|')}) if ((COMP_CWORD > 2)); then at+=" \${COMP_WORDS[2]}"; fi ;;
  esac
  case $at in
${cases.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
  if [[ -n $names && $cur != -* ]]; then _hoopctl_names "$names"; fi
  if [[ -n $files && $cur != -* ]]; then COMPREPLY=(); _hoopctl_files; fi
  if [[ -z $cur ]]; then
    local kept=()
    for i in "\${COMPREPLY[@]}"; do if [[ $i != -* ]]; then kept+=("$i"); fi; done
    if ((\${#kept[@]})); then COMPREPLY=("\${kept[@]}"); fi
  fi
}
complete -o bashdefault -F _hoopctl hoopctl
`;
}
