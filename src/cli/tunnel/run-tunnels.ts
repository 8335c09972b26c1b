/** `hoopctl tunnel list | close | logs`. No gateway is asked: it is about processes of this machine. */
import { HoopError } from '../../core/errors.ts';
import type { Invocation } from '../command.ts';
import { renderTable } from '../render/table.ts';
import { visible } from '../render/text.ts';
import { askToClose } from './control.ts';
import { type KnownTunnel, knownTunnels, meant, recordsOf } from './known.ts';
import { readLog } from './log.ts';

export async function runList({ io, options }: Invocation): Promise<undefined> {
  const all = await knownTunnels(recordsOf(io));
  const shown = options['all'] === true ? all : all.filter(({ state }) => state !== 'ended');
  if (io.json) {
    for (const tunnel of shown) await io.value(tunnel);
    return;
  }
  if (shown.length === 0)
    return void io.note(
      all.length === 0 ? 'no tunnels in the background' : 'no tunnel is open; ended ones: --all',
    );
  const headings = ['ID', 'RESOURCE', 'ON', 'SINCE', 'UNTIL', 'STATE'];
  await io.line(renderTable(headings, shown.flatMap(rows), io.width, io.charset).join('\n'));
}

function rows({ id, ends, startedAt, deadline, state, host, ended }: KnownTunnel): string[][] {
  const said = { open: 'open', elsewhere: `on ${host}`, ended: ended ?? 'ended' }[state];
  return ends.map(({ resource, address }) => [id, resource, address, startedAt, deadline, said]);
}

/** @throws {HoopError} `ERR_USAGE` none is meant; `ERR_INTERNAL` one does not end. */
export async function runClose({ io, args, options }: Invocation): Promise<undefined> {
  const all = options['all'] === true;
  if (all === args.length > 0) throw new HoopError('ERR_USAGE', 'name tunnels, or say --all');
  const records = recordsOf(io);
  const open = (await knownTunnels(records)).filter(({ state }) => state === 'open');
  if (all && open.length === 0) io.note('no tunnel is open in the background');
  for (const { id, ends, pid } of all ? open : meant(open, args)) {
    if (!(await askToClose(records.socketOf(id))))
      throw new HoopError('ERR_INTERNAL', `the tunnel ${id} does not end`, { hint: `its process is ${pid}` });
    const resources = ends.map(({ resource }) => resource);
    if (io.json) await io.value({ id, resources, state: 'ended' });
    else await io.line(`${id} closed: ${visible(resources.join(', '))}`);
  }
}

/** @throws {HoopError} `ERR_USAGE` none or several are meant. */
export async function runLogs({ io, args }: Invocation): Promise<undefined> {
  const records = recordsOf(io);
  const tunnels = meant(await knownTunnels(records), args);
  const open = tunnels.filter(({ state }) => state === 'open');
  const [tunnel, second] = open.length > 0 ? open : tunnels.slice(-1);
  if (tunnel === undefined || second !== undefined)
    throw new HoopError('ERR_USAGE', 'several tunnels reach it: name one by its id', {
      hint: 'see: hoopctl tunnel list',
    });
  for (const line of await readLog(records.logOf(tunnel.id))) {
    if (io.json) await io.value(line);
    else await io.line(`${line.at === '' ? '' : `${line.at}  `}${visible(line.text)}`);
  }
}
