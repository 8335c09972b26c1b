import { createHash } from 'node:crypto';
import type { Client, ClientChannel, ServerChannel, TcpipRequestInfo } from 'ssh2';
import { HoopError, isHoopError, toHoopError } from '../../../core/errors.ts';
import { refusalLine } from '../../../core/refusal-line.ts';
import type { Approvable } from '../../../enforcement/operation.ts';
import { forPeople } from '../../stream/for-people.ts';
import type { Question } from '../../stream/guard.ts';
import { Stands } from '../../stream/stands.ts';
import { addressOf } from '../entities.ts';
import { type Endpoint, readEndpoint } from '../reading/address.ts';
import { contextOf } from './asked.ts';
import { OPEN_FAILURE } from './inside.ts';
import { type Allowed, joined } from './joined.ts';
import { Sink } from './sink.ts';
import type { ConnectionState } from './state.ts';

/** How a channel that is asked for is answered. */
export interface Opening {
  accept(): ServerChannel;
  refuse(reason: (typeof OPEN_FAILURE)[keyof typeof OPEN_FAILURE], text: string): void;
}

/**
 * A connection that the client has the host make: asked for by where it goes, then carried. Nobody can tell its client that it
 * waits for people.
 *
 * @returns When it has ended. Never rejects.
 * @see RFC 4254 §7.2
 */
export async function forwarded(
  connection: ConnectionState,
  asked: TcpipRequestInfo,
  opening: Opening,
): Promise<void> {
  const guard = connection.context.guard.channel();
  try {
    const endpoint = readEndpoint(asked.destIP, asked.destPort);
    const question = questionOf(connection, asked, endpoint);
    const answer = await guard.ask(question);
    if (answer.effect === 'deny') {
      const { code, message } = answer.denial;
      return opening.refuse(OPEN_FAILURE.prohibited, `${code}: ${message} ${refusalLine(answer.denial)}`);
    }
    // What cannot be read is never allowed.
    const stands = new Stands(guard, question, answer);
    await carried({ connection, guard, operation: answer, stands }, endpoint!, asked, opening);
    guard.closed('the connection was closed');
  } catch (error) {
    connection.over(toHoopError(error));
  }
}

/** What is forwarded, for the guard. */
function questionOf(
  { parts, context, gone, clean }: ConnectionState,
  { destIP, destPort }: TcpipRequestInfo,
  endpoint: Endpoint | undefined,
): Question {
  const facts = contextOf({ terminal: undefined, variables: new Map() });
  if (endpoint === undefined)
    return {
      pairs: [],
      context: facts,
      text: 'forward',
      original: { forward: `${destIP}:${destPort}` },
      refusal: {
        code: 'ERR_SYNTAX',
        rule: 'address-ambiguous',
        reason: 'the address could be read as another',
        hint: 'name a host, or an address as it is commonly written, and a port',
      },
    };
  const text = `forward to ${endpoint.host}:${endpoint.port}`;
  const question: Question = {
    pairs: [
      { action: 'ssh.forward-local', object: addressOf(parts.host, endpoint.host, endpoint.port, clean) },
    ],
    context: facts,
    text: forPeople(text, clean),
  };
  const approvable: Approvable = {
    exact: () => createHash('sha256').update(text).digest('hex'),
    wait: {
      signal: AbortSignal.any([context.signal, gone]),
      told: () => undefined,
      again: () => ({ ...question, approvable }),
    },
  };
  return { ...question, approvable };
}

async function carried(
  allowed: Allowed,
  endpoint: Endpoint,
  asked: TcpipRequestInfo,
  opening: Opening,
): Promise<void> {
  const { connection, operation } = allowed;
  try {
    const { client, gate, windows } = await connection.upstream();
    const remote = await connected(client, endpoint, asked);
    if (connection.gone.aborted) return void remote.close();
    const host = { remote, toHost: new Sink(gate), window: windows.of(remote) };
    await joined(allowed, opening.accept(), host);
    operation.close('success');
  } catch (error) {
    if (!isHoopError(error)) throw error;
    operation.close('failure', error.code);
    opening.refuse(OPEN_FAILURE.connectFailed, `${error.code}: ${error.message}`);
  }
}

/** @throws {HoopError} `ERR_TARGET_UNREACHABLE` the host does not reach it, or does not forward. */
function connected(
  client: Client,
  { host, port }: Endpoint,
  asked: TcpipRequestInfo,
): Promise<ClientChannel> {
  return new Promise((resolve, reject) => {
    const refused = (error: Error) =>
      reject(
        new HoopError('ERR_TARGET_UNREACHABLE', 'the host does not reach it', { detail: error.message }),
      );
    try {
      client.forwardOut(asked.srcIP, asked.srcPort, host, port, (error, channel) => {
        if (error !== undefined) return refused(error);
        channel.on('error', () => undefined);
        return resolve(channel);
      });
    } catch (error) {
      refused(error as Error);
    }
  });
}
