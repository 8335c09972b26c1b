/**
 * `hoopctl ssh`: a tunnel with this machine's own `ssh` in it.
 */
import { HoopError } from '../../core/errors.ts';
import type { Invocation } from '../command.ts';
import { CLIENTS } from '../connect/clients/index.ts';
import type { PreparedEnd } from '../connect/prepare.ts';
import { runConnect } from '../connect/run-connect.ts';

/**
 * @returns What `ssh` ends with: the remote command's code, 255 where the connection was lost.
 * @throws {HoopError} Whatever keeps the tunnel from opening; `ERR_USAGE` the resource is no host.
 */
export function runSsh(invocation: Invocation): Promise<number> {
  return runConnect(invocation, CLIENTS, ([end]) => ['ssh', ...argumentsOf(invocation, end)]);
}

function argumentsOf(invocation: Invocation, end: PreparedEnd | undefined): readonly string[] {
  const config = end?.setup.variables['HOOP_SSH_CONFIG'];
  const name = end?.end.resource.name ?? '';
  const host = end?.end.place ?? name;
  if (config === undefined)
    throw new HoopError('ERR_USAGE', `${name} is no host: it speaks ${end?.end.resource.protocol}`, {
      hint: `hoopctl connect ${name}`,
    });
  return ['-F', config, ...terminal(invocation), host, ...invocation.command];
}

/**
 * As `ssh` does by itself: one for a shell, none for a command. One that policy does not permit would end the command
 * with it, so it has to be asked for; `-tt` asks although there is none here.
 */
function terminal({ options, io }: Invocation): readonly string[] {
  const { stdin, stdout } = io.streams;
  if (options['tty'] === false) return ['-T'];
  if (options['tty'] !== true) return [];
  return [stdin.isTTY && stdout.isTTY ? '-t' : '-tt'];
}
