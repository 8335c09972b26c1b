/** The common kinds of attack on SSH, each judged by what became of the host, beside a control that shows it is live. */
import type { ExecOptions } from 'ssh2';
import { must } from '../attack.ts';
import type { Ran } from './client.ts';
import { SECRET } from './place.ts';
import type { HostKind, SshAttack, SshWorld } from './world.ts';

const BOTH: readonly HostKind[] = ['OpenSSH', 'dropbear'];

export interface CommandOptions extends ExecOptions {
  readonly input?: string;
  /** Default both. */
  readonly hosts?: readonly HostKind[];
}

/** The gateway serves this client's user, and this host, as before. */
export async function servesOn(world: SshWorld): Promise<void> {
  const client = await world.through();
  const { code, stdout } = await client.exec(`ls ${world.place.at('data/report')}`);
  must(code === 0 && stdout.includes('report'), `an honest command is not served any more: ${code}`);
  client.close();
}

/** Told in the words of a denial: its sentence, its line for machines, and 126. */
function demandDenied({ code, stdout, stderr }: Ran, rule?: string): void {
  must(code === 126, `it ended with ${code} in place of 126: ${stderr}${stdout.toString('latin1')}`);
  const line = /^hoop: (\{.*\})\r?$/m.exec(stderr)?.[1];
  must(line !== undefined, `it is not told why: ${JSON.stringify(stderr)}`);
  const told = JSON.parse(line) as { readonly rule?: string };
  must(rule === undefined || told.rule === rule, `it is denied by ${told.rule}`);
  must(stdout.length === 0, `it has an output: ${JSON.stringify(stdout.toString('latin1'))}`);
}

/**
 * A command that acts on the host where no gateway stands, or shows the secret; through it the host does not hear of it.
 *
 * @param text Given the place's path.
 */
export function acts(what: string, text: (place: string) => string, options: CommandOptions = {}): SshAttack {
  const { hosts = BOTH, ...rest } = options;
  return {
    case: what,
    hosts,
    run: async (world) => {
      const { place } = world;
      const command = text(place.path);
      place.reset();
      const before = place.state();
      const { direct, through } = await world.shared();
      const ran = await direct.exec(command, rest);
      const shown = ran.stdout.includes(SECRET) || ran.stderr.includes(SECRET);
      must(shown || place.state() !== before, `dead: ${ran.code} ${ran.stdout.toString()} ${ran.stderr}`);
      place.reset();
      await unheard(world, async () => demandDenied(await through.exec(command, rest)));
    },
  };
}

/** Nothing changes at the host meanwhile, and nothing is begun there. */
export async function unheard(world: SshWorld, act: () => Promise<void>): Promise<void> {
  const { place } = world;
  const [before, begun] = [place.state(), world.begun];
  await act();
  must(place.state() === before, `it had its effect:\n${place.state()}`);
  must(world.begun === begun, 'the host has begun something');
}
