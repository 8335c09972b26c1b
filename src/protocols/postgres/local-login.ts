import { randomBytes } from 'node:crypto';
import { HoopError } from '../../core/errors.ts';
import { AuthenticationResponse, SASLInitialResponse } from './codec/authentication.ts';
import { encodeBackend } from './codec/backend.ts';
import { Framer } from './codec/framer.ts';
import { type CancelRequest, PROTOCOL_3_0, StartupFramer, type StartupMessage } from './codec/startup.ts';
import { FRONTEND } from './codec/types.ts';
import type { Inlet } from './inlet.ts';
import { parseVerifier, SCRAM_SHA_256, ScramServer } from './scram.ts';

export type LocalLogin =
  /** The client proved that it may use the tunnel; nothing has been said of success yet. */
  | { readonly kind: 'session'; readonly parameters: ReadonlyMap<string, string> }
  | { readonly kind: 'cancel'; readonly request: CancelRequest }
  /** The peer left. */
  | { readonly kind: 'closed' };

/** As PostgreSQL's `authentication_timeout`. */
const LOGIN_MS = 60_000;
const REFUSED = Buffer.from('N');

/**
 * Takes a client's startup and has it prove that it knows the tunnel's own secret.
 *
 * TLS and GSS encryption are answered with "no": the local end is loopback or a socket of the same user, and the way
 * from hoopctl onward is TLS already.
 *
 * @param send Writes to the client.
 * @param verifier `SCRAM-SHA-256$…` of the tunnel's secret; undefined where the local end is its owner's alone.
 * @throws {HoopError} `ERR_LOCAL_AUTH` wrong secret; `ERR_PG_…` malformed packets, bytes sent ahead of an answer that
 *   decides what they mean (CVE-2021-23222), or a login of more than a minute.
 * @see https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-START-UP
 */
export async function localLogin(
  inlet: Inlet,
  send: (bytes: Buffer) => void,
  verifier: string | undefined,
): Promise<LocalLogin> {
  const startup = await readStartup(inlet, send);
  if (startup === undefined) return { kind: 'closed' };
  if (startup.name === 'CancelRequest') return { kind: 'cancel', request: startup };
  negotiate(startup, send);
  if (verifier !== undefined && !(await proveSecret(inlet, send, verifier))) return { kind: 'closed' };
  return { kind: 'session', parameters: startup.parameters };
}

async function readStartup(
  inlet: Inlet,
  send: (bytes: Buffer) => void,
): Promise<StartupMessage | CancelRequest | undefined> {
  const framer = new StartupFramer();
  const asked = new Set<string>();
  for (;;) {
    const packet = framer.next();
    if (packet === undefined) {
      const chunk = await inlet.nextWithin(LOGIN_MS);
      if (chunk === undefined) return undefined;
      framer.push(chunk);
      continue;
    }
    const rest = framer.takeRest();
    if (packet.name === 'StartupMessage' || packet.name === 'CancelRequest') {
      inlet.unshift(rest);
      return packet;
    }
    if (rest.length > 0) {
      throw new HoopError('ERR_PG_PROTOCOL', 'data was sent before the answer to the encryption request');
    }
    if (asked.has(packet.name)) throw new HoopError('ERR_PG_PROTOCOL', 'encryption was asked for twice');
    asked.add(packet.name);
    send(REFUSED);
  }
}

/** Version 3.0 is spoken; a client that asks for a newer minor or for options is told so, and goes on with 3.0. */
function negotiate(startup: StartupMessage, send: (bytes: Buffer) => void): void {
  const unknownOptions = [...startup.protocolOptions.keys()];
  if (startup.version === PROTOCOL_3_0 && unknownOptions.length === 0) return;
  send(encodeBackend({ name: 'NegotiateProtocolVersion', version: PROTOCOL_3_0, unknownOptions }));
}

/** @returns False if the peer left instead. */
async function proveSecret(inlet: Inlet, send: (bytes: Buffer) => void, verifier: string): Promise<boolean> {
  const scram = new ScramServer(parseVerifier(verifier), randomBytes(18).toString('base64'));
  const framer = new Framer('frontend');
  const ask = (request: Parameters<typeof encodeBackend>[0] & { name: 'Authentication' }) =>
    send(encodeBackend(request));
  ask({ name: 'Authentication', request: { method: 'SASL', mechanisms: [SCRAM_SHA_256] } });
  const first = await readResponse(inlet, framer);
  if (first === undefined) return false;
  const { mechanism, data } = SASLInitialResponse.decode(first);
  if (mechanism !== SCRAM_SHA_256 || data === null) {
    throw new HoopError('ERR_PG_PROTOCOL', 'the client chose another way to log in');
  }
  ask({ name: 'Authentication', request: { method: 'SASLContinue', data: scram.challenge(data) } });
  const second = await readResponse(inlet, framer);
  if (second === undefined) return false;
  const final = scram.finish(AuthenticationResponse.decode(second).data);
  ask({ name: 'Authentication', request: { method: 'SASLFinal', data: final } });
  inlet.unshift(framer.takeRest());
  return true;
}

async function readResponse(inlet: Inlet, framer: Framer): Promise<Buffer | undefined> {
  for (;;) {
    const frame = framer.next();
    if (frame?.type === FRONTEND.AuthenticationResponse) return frame.body;
    if (frame !== undefined) throw new HoopError('ERR_PG_PROTOCOL', 'a password was expected');
    const chunk = await inlet.nextWithin(LOGIN_MS);
    if (chunk === undefined) return undefined;
    framer.push(chunk);
  }
}
