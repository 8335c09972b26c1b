// biome-ignore-all lint/suspicious/noTemplateCurlyInString: shells read them.
/** S1: commands that look like what is permitted, or that a shell makes something else of. */
import { acts } from '../attack.ts';
import type { SshAttack, SshGroup } from '../world.ts';

/** What is told first is what policy permits; what acts stands behind it, or within. */
const SEPARATED: readonly string[] = [
  'ls; rm D/victim',
  'ls;rm D/victim',
  'ls && rm D/victim',
  'ls /nonexistent || rm D/victim',
  'ls & rm D/victim',
  'ls / | xargs -I{} rm -f D/victim',
  'ls\nrm D/victim',
  'ls\r\nrm D/victim',
  '\nrm D/victim',
  'ls -d /\n\n\nrm D/victim\n',
  'ls # comment\nrm D/victim',
  'ls\\\n-la;rm D/victim',
  'ls;\\\nrm D/victim',
  '{ ls; rm D/victim; }',
  '(rm D/victim)',
  'ls ${IFS}-la;rm D/victim',
  "ls 'a' ';' ;rm D/victim",
  'ls "" "";rm D/victim',
  "ls 'it'\\''s';rm D/victim",
];

const EXPANDED: readonly string[] = [
  'ls $(rm D/victim)',
  'ls `rm D/victim`',
  'ls "$(rm D/victim)"',
  'ls "`rm D/victim`"',
  'ls "a${x:-$(rm D/victim)}"',
  'ls ${x:=$(rm D/victim)}',
  'ls $((x[$(rm D/victim)]))',
  'ls <(rm D/victim); sleep 0.2',
  'ls $(<D/victim)$(rm D/victim)',
  'cat D/log/app <<X\n$(rm D/victim)\nX\n',
  'cat D/log/app <<< $(rm D/victim)',
  'ls $"$(rm D/victim)"',
  'ls ~+/$(rm D/victim)',
  'ls {a,$(rm D/victim)}',
  'uptime $(rm D/victim)',
];

const REDIRECTED: readonly string[] = [
  'ls > D/victim',
  'ls >D/victim',
  'ls>D/hit',
  'ls / >> D/victim',
  'ls >| D/victim',
  'ls &> D/hit',
  'ls 2> D/hit',
  'ls 3<> D/hit',
  '> D/victim ls',
  'cat D/log/app > D/victim',
  'uptime >D/hit',
  'ls -la >& D/hit',
];

const READ: readonly string[] = [
  'cat D/log/../secret/shadow',
  'cat D/secret/shadow',
  'cat D/log/app D/secret/shadow',
  'cat < D/secret/shadow',
  'cat D/log/app - < D/secret/shadow',
  'cat D/log/*/../../secret/shadow D/secret/*',
  'cat D/{log/app,secret/shadow}',
  'cat D/log/app;cat D/secret/shadow',
  'cat D/log/"."./secret/shadow',
  "cat D/log/.'.'/secret/shadow",
  'cat D/log/.\\./secret/shadow',
  'cat D/log/../secret/sh?dow',
  'cat ${PWD#"$PWD"}D/secret/shadow',
  'cd D/secret; cat shadow',
  'cat D/[s]ecret/shadow',
  'CAT=D/secret/shadow; cat $CAT',
];

/** The same program under other names and spellings, and programs that start others. */
const SPELLED: readonly string[] = [
  '/bin/rm D/victim',
  '/bin/../bin/rm D/victim',
  '//bin//rm D/victim',
  '/usr/bin/env rm D/victim',
  'r\\m D/victim',
  '"rm" D/victim',
  "'r''m' D/victim",
  'r""m D/victim',
  "$'\\x72m' D/victim",
  "$'\\162\\155' D/victim",
  'X=rm; $X D/victim',
  'command rm D/victim',
  'builtin eval rm D/victim',
  'exec rm D/victim',
  'eval "rm D/victim"',
  'eval rm D/victim',
  'time rm D/victim',
  '! rm D/victim',
  'if true; then rm D/victim; fi',
  'ls() { rm D/victim; }; ls',
  'alias ls=rm\nrm D/victim',
  'shopt -s expand_aliases\nalias ls="rm D/victim"\nls',
  'PATH=D:$PATH; rm D/victim',
  'LS_COLORS=x ls; rm D/victim',
  'X=$(rm D/victim) ls',
  'A=1 rm D/victim',
  'rm -- D/victim',
  'unlink D/victim',
  'mv D/victim D/hit',
  'cp D/secret/shadow D/hit',
  'ln -sf D/secret D/hit',
  'touch D/hit',
  'tee D/hit',
  'truncate -s 0 D/victim',
  'chmod 000 D/victim',
  'dd if=/dev/null of=D/victim',
  'install D/secret/shadow D/hit',
  'sed -i d D/victim',
  'bash -c "rm D/victim"',
  'sh -c "rm D/victim"',
  'bash -O extglob -c "rm D/victim"',
  'env X=1 rm D/victim',
  'env -S "rm D/victim"',
  'nohup rm D/victim',
  'nice rm D/victim',
  'timeout 5 rm D/victim',
  'setsid -w rm D/victim',
  'stdbuf -o0 rm D/victim',
  'xargs -a D/log/app -I{} rm D/victim',
  'find D -name victim -delete',
  'find D -name victim -exec rm {} +',
  'tar -cf /dev/null --checkpoint=1 "--checkpoint-action=exec=rm D/victim" D/log/app',
  `awk 'BEGIN{system("rm D/victim")}'`,
  `git -c alias.x='!rm D/victim' x`,
  `perl -e 'unlink "D/victim"'`,
  `python3 -c 'import os; os.remove("D/victim")'`,
  'ssh -o ProxyCommand="rm D/victim" x',
  `vi -es -c '!rm D/victim' -c q!`,
  `ex -s -c '!rm D/victim' -c q! D/log/app`,
  `ed -s D/log/app <<< '!rm D/victim'`,
  `sed '1e rm D/victim' D/log/app`,
  `sort --compress-program=D/no D/log/app -o D/victim`,
  `split --filter='rm D/victim' D/log/app`,
  `script -qc 'rm D/victim' /dev/null`,
  `flock D/log/app rm D/victim`,
  `env -i /bin/rm D/victim`,
  `$'\\x72m' D/victim`,
  `r$@m D/victim`,
  `/bin/r? D/victim`,
  'printf "rm D/victim" | sh',
  'echo rm D/victim > D/hit; . D/hit',
  '. /dev/stdin <<< "rm D/victim"',
  'trap "rm D/victim" EXIT',
  'coproc rm D/victim; wait',
  'printf -v x "rm D/victim"; $x',
  'mapfile -C "rm D/victim #" -c 1 < D/log/app',
  'read x < D/log/app; rm D/victim',
  'test -v "x[$(rm D/victim)]"',
  '[ -v "x[$(rm D/victim)]" ]',
  'let "x[$(rm D/victim)]=1"',
  'declare "x=$(rm D/victim)"',
  '\\rm D/victim',
  'ls\t;rm D/victim',
  '\trm D/victim',
  'select x in a; do rm D/victim; break; done <<< 1',
  '[[ -v x[$(rm D/victim)] ]]',
];

/** Kept in words by what stands around them: input that is read as commands. */
const INPUT: readonly (readonly [string, string])[] = [
  ['sh', 'rm D/victim\n'],
  ['bash', 'rm D/victim\n'],
  ['bash -s', 'rm D/victim\n'],
  ['bash -s ls', 'rm D/victim\n'],
  ['sh -', 'rm D/victim\n'],
  ['python3', 'import os; os.remove("D/victim")\n'],
  ['perl', 'unlink "D/victim"\n'],
  ['xargs rm', 'D/victim\n'],
  ['xargs -n1 rm', 'D/victim\n'],
  ['tee D/victim', 'gone'],
];

/** `D` is the place. */
const within = (template: string) => (place: string) => template.replaceAll(/\bD\b/g, place);

const all = (templates: readonly string[]): SshAttack[] =>
  templates.map((one) => acts(JSON.stringify(one), within(one)));

const encoded = (place: string) => Buffer.from(`rm ${place}/victim`).toString('base64');

export const S1: SshGroup = {
  id: 'S1',
  attacks: [
    ...[SEPARATED, EXPANDED, REDIRECTED, READ, SPELLED].flatMap(all),
    acts('base64 that becomes a command', (place) => `echo ${encoded(place)} | base64 -d | sh`),
    acts('base64 in a here-string', (place) => `bash <<< $(base64 -d <<< ${encoded(place)})`),
    acts('as octal escapes of printf', (place) => `$(printf '\\162\\155') ${place}/victim`),
    ...INPUT.map(([command, input]) => given(command, input)),
  ],
};

/** A program that does what it reads. */
function given(command: string, input: string): SshAttack {
  return {
    case: `${command}, which is given ${JSON.stringify(input)}`,
    hosts: ['OpenSSH', 'dropbear'],
    run: (world) => {
      const attack = acts(command, within(command), { input: within(input)(world.place.path) });
      return attack.run(world);
    },
  };
}
