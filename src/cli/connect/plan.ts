import { homedir } from 'node:os';
import { resolve } from 'node:path';
import { HoopError } from '../../core/errors.ts';
import { newId } from '../../core/ids/make.ts';
import { type Invocation, textOption } from '../command.ts';
import { parseDuration, parseWhole } from '../parse.ts';
import { runOf } from '../with-gateway.ts';

/** The gateway takes no greater number of seconds; no login lasts as long. */
const MAX_TTL_MS = 999_999_999_000;

/** What `connect` was asked for. */
export interface ConnectPlan {
  /** One or more, each once. */
  readonly resources: readonly string[];
  /** The port is the first resource's, the next one's is one more, and so on; 0: any for each. */
  readonly local:
    | { readonly kind: 'port'; readonly port: number }
    | { readonly kind: 'socket'; readonly directory: string; readonly port: number }
    | { readonly kind: 'stdio' };
  /** A variable that the child finds the first resource's URL in, beside the one that is named for it. */
  readonly urlVariable?: string;
  /** The secret is told apart from the URL. */
  readonly bearer: boolean;
  /** Clients speak TLS with the local ends. */
  readonly tls: boolean;
  /** Stays when whoever started it has gone. */
  readonly keep: boolean;
  readonly reason?: string;
  readonly ttlMs?: number;
  /** How long an approval is waited for that a connection needs; infinity: as long as the request stands. */
  readonly waitMs?: number;
  /** Which of many hosts behind the resource. */
  readonly place?: string;
  /** What this process and all that it starts are part of: the one that it was started in, or one that begins with a command. */
  readonly run?: string;
  /** Goes on as the instance that asked for this ahead. */
  readonly approval?: string;
}

/**
 * Reads the options of `connect`. Pure but for the home, the working directory and the name of a run that begins.
 *
 * @throws {HoopError} `ERR_USAGE` values out of range, or options that exclude each other.
 */
export function planConnect(invocation: Invocation): ConnectPlan {
  const reason = textOption(invocation, 'reason');
  const ttl = textOption(invocation, 'ttl');
  const approval = textOption(invocation, 'approval');
  const resources = invocation.args;
  const twice = resources.find((name, index) => resources.indexOf(name) !== index);
  if (twice !== undefined) throw new HoopError('ERR_USAGE', `resource "${twice}" is named twice`);
  return {
    resources,
    local: localEnd(invocation),
    keep: keeps(invocation),
    bearer: invocation.options['bearer'] === true,
    tls: invocation.options['tls'] === true,
    ...urlVariableOf(invocation),
    ...(reason === undefined ? {} : { reason }),
    ...(ttl === undefined ? {} : { ttlMs: Math.min(parseDuration(ttl, '--ttl'), MAX_TTL_MS) }),
    ...waitOf(invocation),
    ...(approval === undefined ? {} : { approval }),
    ...placeOf(invocation),
    ...runFor(invocation),
  };
}

function runFor({ io, command }: Invocation): Pick<ConnectPlan, 'run'> {
  const run = runOf(io.env) ?? (command.length === 0 ? undefined : newId('run', Date.now()));
  return run === undefined ? {} : { run };
}

/** @throws {HoopError} `ERR_USAGE` it is no name, or there are several resources. */
export function placeOf(invocation: Invocation): { readonly place?: string } {
  const place = textOption(invocation, 'host');
  if (place === undefined) return {};
  if (invocation.args.length > 1)
    throw new HoopError('ERR_USAGE', '--host is of one resource: name no other');
  if (!/^[A-Za-z0-9_][A-Za-z0-9_.:-]{0,252}$/.test(place))
    throw new HoopError('ERR_USAGE', `--host "${place}" is no name of a host`);
  return { place };
}

function urlVariableOf(invocation: Invocation): Pick<ConnectPlan, 'urlVariable'> {
  const urlVariable = textOption(invocation, 'env');
  if (urlVariable === undefined) return {};
  if (invocation.command.length === 0)
    throw new HoopError('ERR_USAGE', '--env names a variable of a command: say -- COMMAND');
  if (!/^[A-Za-z_][A-Za-z0-9_]{0,99}$/.test(urlVariable))
    throw new HoopError('ERR_USAGE', `--env "${urlVariable}" is no name of a variable`);
  return { urlVariable };
}

function waitOf(invocation: Invocation): Pick<ConnectPlan, 'waitMs'> {
  if (invocation.options['wait'] === true) return { waitMs: Number.POSITIVE_INFINITY };
  const text = textOption(invocation, 'wait');
  return text === undefined ? {} : { waitMs: parseDuration(text, '--wait') };
}

function keeps({ options, command }: Invocation): boolean {
  const background = options['background'] === true;
  if (options['keep'] !== true && !background) return false;
  if (background && (options['stdio'] === true || command.length > 0))
    throw new HoopError('ERR_USAGE', '--background goes with neither --stdio nor -- COMMAND', {
      hint: 'a tunnel for one command is: hoopctl connect RESOURCE -- COMMAND',
    });
  if (options['stdio'] === true || command.length > 0)
    throw new HoopError(
      'ERR_USAGE',
      '--keep goes with neither --stdio nor -- COMMAND: the tunnel ends with them',
    );
  return true;
}

function localEnd(invocation: Invocation): ConnectPlan['local'] {
  const portText = textOption(invocation, 'port');
  const socket = textOption(invocation, 'socket');
  const several = invocation.args.length - 1;
  const port = portText === undefined ? 0 : parseWhole(portText, '--port', 0, 65_535 - several);
  if (invocation.options['stdio'] === true) {
    const others = [portText, socket].some((value) => value !== undefined) || invocation.command.length > 0;
    if (invocation.options['tls'] === true)
      throw new HoopError('ERR_USAGE', '--stdio goes without --tls: nobody else can read it');
    if (others) throw new HoopError('ERR_USAGE', '--stdio goes with neither --port, --socket nor -- COMMAND');
    if (several > 0) throw new HoopError('ERR_USAGE', '--stdio is one stream: name one resource');
    if (invocation.io.json)
      throw new HoopError('ERR_USAGE', '--stdio leaves no room for --json on standard output');
    return { kind: 'stdio' };
  }
  return socket === undefined
    ? { kind: 'port', port }
    : { kind: 'socket', directory: directoryOf(socket), port };
}

/** Absolute: the child, or whoever reads the ready line, may be in another directory. */
function directoryOf(text: string): string {
  return resolve(text.replace(/^~(?=\/|$)/, homedir()));
}
