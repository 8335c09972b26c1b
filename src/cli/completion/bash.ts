import { type CompletionPlace, flagsOf, groupsOf, wordsOf } from './tree.ts';

/** A script for bash 3.2 and later. It runs nothing, and knows what this version of hoopctl takes. */
export function bashScript(places: readonly CompletionPlace[]): string {
  const cases = places.map(
    ({ path, ...place }) => `    '${path.join(' ')}') words='${wordsOf(place).join(' ')}' ;;`,
  );
  return `# bash completion for hoopctl
_hoopctl() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} at='' words='' i
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
  esac
  if ((COMP_CWORD > 1)); then at=\${COMP_WORDS[1]}; fi
  case $at in
    ${groupsOf(places).join('|')}) if ((COMP_CWORD > 2)); then at+=" \${COMP_WORDS[2]}"; fi ;;
  esac
  case $at in
${cases.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
complete -o bashdefault -F _hoopctl hoopctl
`;
}
