/** S14: personal data in what programs print, in every way in which it is printed. */
import { stripVTControlCharacters } from 'node:util';
import { must } from '../../attack.ts';
import { disguiseOf } from '../../leak.ts';
import type { SshAttack, SshGroup } from '../world.ts';

const SSN = '123-45-6789';

const POLICY = `
@id("use") permit (principal, action in [Action::"connect", Action::"reveal", Action::"ssh.exec", Action::"ssh.pty"], resource);
@id("pii") @mask("redact") forbid (principal, action == Action::"reveal", resource is Detected) when { resource.tags.contains("pii") };
`;

/** Without what terminals make colours of. */
const plain = (bytes: Buffer) => Buffer.from(stripVTControlCharacters(bytes.toString('latin1')), 'latin1');

/** It is shown where no gateway stands; through it, in no disguise. */
function prints(what: string, command: string, options: { readonly pty?: true } = {}): SshAttack {
  return {
    case: what,
    run: async (world) => {
      const { direct, through } = await world.shared();
      const shown = async (client: typeof direct) => {
        const { stdout, stderr } = await client.exec(command, options);
        const all = Buffer.concat([stdout, Buffer.from(stderr)]);
        return { found: disguiseOf(plain(all), SSN), all };
      };
      must((await shown(direct)).found !== undefined, 'dead: it is not shown where no gateway stands');
      const { found, all } = await shown(through);
      must(found === undefined, `leaked, ${found}: ${JSON.stringify(all.toString('latin1').slice(-200))}`);
      must(
        all.includes('tea'),
        `what is harmless is not shown either: ${all.toString('latin1').slice(-200)}`,
      );
    },
  };
}

/** Printed so: `@` is the number. */
const FORMS: readonly (readonly [string, string])[] = [
  ['in a line', "printf 'tea @\\n'"],
  ['without a line end', "printf 'tea @'"],
  ['on standard error', "printf 'tea @\\n' >&2"],
  ['in both', "printf 'tea @\\n'; printf 'tea @\\n' >&2"],
  ['with a return before it', "printf 'tea\\r@\\n'"],
  ['with a return behind it', "printf 'tea @\\r'; printf '.\\n'"],
  ['in colours', "printf 'tea \\033[31m@\\033[0m\\n'"],
  ['in many colours', "printf 'tea \\033[1m123\\033[0m-\\033[38;5;9m45\\033[0m-6\\033[K789\\n'"],
  ['in two pieces', "printf 'tea 123-45-'; printf '6789\\n'"],
  [
    'octet by octet',
    `awk 'BEGIN { s = "tea @\\n"; for (i = 1; i <= length(s); i++) { printf "%s", substr(s, i, 1); fflush() } }'`,
  ],
  ['behind 64 KiB in one line', "head -c 65530 /dev/zero | tr '\\0' x; printf ' tea @\\n'"],
  ['behind 32 KiB of lines', "yes 'tea tea' | head -c 32764; printf '\\ntea @\\n'"],
  ['a thousand times', "yes 'tea @' | head -1000"],
  ['in JSON', `printf '{"tea":1,"ssn":"@"}\\n'`],
  ['in quotes', `printf 'tea "@"\\n'`],
  ['between tabs', "printf 'tea\\t@\\t1\\n'"],
  ['with a NUL beside it', "printf 'tea tea tea tea @\\0\\n'"],
  ['with UTF-8 beside it', "printf 'tea ünïcödé @ é\\n'"],
  ['with a wrong octet beside it', "printf 'tea tea tea tea @ \\377\\n'"],
  ['behind a bell and a title', "printf '\\a\\033]0;tea\\a @\\n'"],
];

export const S14: SshGroup = {
  id: 'S14',
  policy: () => POLICY,
  attacks: FORMS.flatMap(([what, form]) => {
    const command = form.replaceAll('@', SSN);
    return [prints(what, command), prints(`${what}, at a terminal`, command, { pty: true })];
  }),
};
