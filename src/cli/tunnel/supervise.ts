/**
 * The process that is a tunnel in the background: on record while it lives, and reached by its socket.
 */
import { hostname } from 'node:os';
import { Writable } from 'node:stream';
import type { OpenGateway } from '../../client/gateway.ts';
import { systemClock } from '../../core/clock.ts';
import { toHoopError } from '../../core/errors.ts';
import type { Invocation } from '../command.ts';
import { CLIENTS } from '../connect/clients/index.ts';
import type { PreparedEnd } from '../connect/prepare.ts';
import { readyText, readyValue } from '../connect/ready.ts';
import { runConnect } from '../connect/run-connect.ts';
import { describeFailure } from '../failure.ts';
import { Io } from '../io.ts';
import { Interrupted } from '../signals.ts';
import { runOf } from '../with-gateway.ts';
import { serveControl } from './control.ts';
import { TunnelLog } from './log.ts';
import type { FromTunnel } from './messages.ts';
import type { TunnelRecord, TunnelRecords } from './records.ts';

/** @returns What hoopctl ends with; whatever goes wrong is in the log, and told to whoever started it. */
export async function supervise(invocation: Invocation, records: TunnelRecords, id: string): Promise<number> {
  const { signals, env, json } = invocation.io;
  signals.ignore('SIGHUP');
  const starter = new Starter(() => signals.deliver('SIGTERM'));
  const log = new TunnelLog(records.logOf(id));
  const stderr = written((text) => {
    log.write(text);
    starter.say('stderr', text);
  });
  const io = new Io(
    { ...invocation.io.streams, stdout: written((text) => starter.say('stdout', text)), stderr },
    env,
    signals,
    json,
  );
  let record: TunnelRecord | undefined;
  const whenReady = async (_io: Io, gateway: OpenGateway, ends: readonly PreparedEnd[]) => {
    await serveControl(records.socketOf(id), () => {
      log.write('hoopctl: asked to end: hoopctl tunnel close');
      signals.deliver('SIGTERM');
    });
    record = recordOf(id, gateway, ends, env);
    await records.write(record);
    log.write(
      `hoopctl: ready until ${record.deadline}: ${record.ends.map((end) => `${end.resource} on ${end.address}`).join(', ')}`,
    );
    tellReady(starter, io, record, ends);
    starter.leave();
  };
  let ended = 'ended';
  try {
    return await runConnect({ ...invocation, io }, CLIENTS, undefined, whenReady);
  } catch (error) {
    const failure = describeFailure(error, { json });
    if (failure.text !== '') stderr.write(failure.text);
    ended = error instanceof Interrupted ? 'closed' : toHoopError(error).message;
    return failure.exitCode;
  } finally {
    if (record !== undefined) await records.end(record, ended, systemClock.now());
  }
}

/** Whoever started this process, until all is ready. If it goes before, nobody has the secrets and the tunnel is of no use. */
class Starter {
  readonly #gone: () => void;

  constructor(gone: () => void) {
    this.#gone = gone;
    process.once('disconnect', gone);
  }

  say(stream: 'stdout' | 'stderr', text: string): void {
    this.#send({ kind: 'said', stream, text });
  }

  leave(): void {
    process.off('disconnect', this.#gone);
    this.#send({ kind: 'ready' });
  }

  #send(message: FromTunnel): void {
    if (process.connected) process.send?.(message, undefined, undefined, () => undefined);
  }
}

/** As a stream of the process's, for whatever writes to one. */
function written(take: (text: string) => void): NodeJS.WriteStream {
  const stream = new Writable({
    decodeStrings: false,
    write(chunk: string | Buffer, _encoding, done) {
      take(chunk.toString());
      done();
    },
  });
  return stream as Writable as NodeJS.WriteStream;
}

function recordOf(
  id: string,
  { origin, credential }: OpenGateway,
  ends: readonly PreparedEnd[],
  env: NodeJS.ProcessEnv,
): TunnelRecord {
  const run = runOf(env);
  return {
    id,
    gateway: origin,
    ends: ends.map(({ end: { resource, address } }) => ({
      resource: resource.name,
      protocol: resource.protocol,
      address: address.kind === 'port' ? `${address.host}:${address.port}` : address.path,
    })),
    pid: process.pid,
    host: hostname(),
    startedAt: new Date(systemClock.now()).toISOString(),
    deadline: new Date(credential.facts.deadline).toISOString(),
    ...(run === undefined ? {} : { run }),
  };
}

/** Past the log: the secrets are in it. */
function tellReady(
  starter: Starter,
  io: Io,
  { id, deadline, pid }: TunnelRecord,
  ends: readonly PreparedEnd[],
): void {
  for (const end of ends) {
    const facts = { ...end, alone: ends.length === 1, deadline };
    if (io.json)
      starter.say(
        'stdout',
        `${JSON.stringify({ schemaVersion: 1, ...readyValue(facts), tunnel: id, pid })}\n`,
      );
    else starter.say('stderr', readyText(facts, `hoopctl tunnel close ${id}`));
  }
}
