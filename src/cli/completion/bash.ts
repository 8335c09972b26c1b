import { type CompletionPlace, flagsOf, groupsOf, NAMED, wordsOf } from './tree.ts';

/**
 * A script for bash 3.2 and later. It runs nothing, and knows what this version of hoopctl takes. Names that it offers
 * are read as text and never expanded.
 */
export function bashScript(places: readonly CompletionPlace[]): string {
  const cases = places.map(
    ({ path, ...place }) =>
      `    '${path.join(' ')}') words='${wordsOf(place).join(' ')}' names='${place.names ?? ''}' ;;`,
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
_hoopctl() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} at='' words='' names='' i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    if [[ \${COMP_WORDS[i]} == -- ]]; then
      if declare -F _command_offset >/dev/null; then _command_offset $((i + 1))
      elif ((i + 1 == COMP_CWORD)); then COMPREPLY=($(compgen -c -- "$cur"))
      else COMPREPLY=($(compgen -f -- "$cur")); fi
      return
    fi
  done
  case $prev in
    ${flagsOf(places, 'files').join('|')}) COMPREPLY=($(compgen -f -- "$cur")); return ;;
    ${flagsOf(places, 'other').join('|')}) return ;;
${NAMED.map((kind) => `    ${flagsOf(places, kind).join('|')}) _hoopctl_names ${kind}; return ;;`).join('\n')}
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
}
complete -o bashdefault -F _hoopctl hoopctl
`;
}
