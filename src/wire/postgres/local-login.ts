import { randomBytes } from 'node:crypto';
import type { Inlet } from '../../core/bytes/inlet.ts';
import { HoopError } from '../../core/errors.ts';
import { parseVerifier, SCRAM_SHA_256, ScramServer } from '../scram/index.ts';
import { AuthenticationResponse, SASLInitialResponse } from './authentication.ts';
import { encodeBackend } from './backend.ts';
import { Framer } from './framer.ts';
import {
  type CancelRequest,
  PROTOCOL_3_0,
  PROTOCOL_3_2,
  StartupFramer,
  type StartupMessage,
} from './startup.ts';
import { FRONTEND } from './types.ts';

export type LocalLogin =
  /** The client proved that it may use the tunnel; nothing has been said of success yet. */
  | {
      readonly kind: 'session';
      /** The version spoken. */
      readonly version: number;
      readonly parameters: ReadonlyMap<string, string>;
      /** 4 for protocol 3.0, 32 from 3.2 on. */
      readonly cancelKeyBytes: number;
    }
  | { readonly kind: 'cancel'; readonly request: CancelRequest }
  /** The peer left. */
  | { readonly kind: 'closed' };

/** As PostgreSQL's `authentication_timeout`: for the whole login, not for each step. */
const LOGIN_MS = 60_000;
/** No message of a login is larger; whoever has not proven anything yet cannot make us hold more. */
const MAX_LOGIN_BYTES = 65_535;
const REFUSED = Buffer.from('N');
/** A TLS handshake record begins so: a client that speaks TLS without asking first. */
const TLS_HANDSHAKE = 0x16;
/** A TLS alert of level fatal: handshake_failure. */
const TLS_ALERT = Buffer.from([0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x28]);
const SHORT_KEY_BYTES = 4;
/** As PostgreSQL 18's. */
const LONG_KEY_BYTES = 32;

/**
 * The server's side of a tunnel's own login. hoopctl has a local client prove itself before it opens a stream; hoopd has
 * hoopctl prove the same again.
 *
 * Takes a client's startup and has it prove that it knows the tunnel's own secret.
 *
 * A goodbye before the startup is taken without a word, as the server takes it. TLS and GSS encryption are answered with "no", TLS without asking with its own alert: the local end is loopback or a
 * socket of the same user, and the way from hoopctl onward is TLS already. See docs/security.md for why.
 *
 * @param send Writes to the client.
 * @param verifier `SCRAM-SHA-256$…` of the tunnel's secret; undefined where the local end is its owner's alone.
 * @throws {HoopError} `ERR_LOCAL_AUTH` wrong secret; `ERR_PROTOCOL`, `ERR_MESSAGE_LENGTH`, `ERR_MESSAGE_TYPE`,
 *   `ERR_UNSUPPORTED` malformed packets, bytes sent ahead of an answer that decides what they mean (CVE-2021-23222),
 *   TLS without asking, or a login of more than a minute.
 * @see https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-START-UP
 */
export async function localLogin(
  inlet: Inlet,
  send: (bytes: Buffer) => void,
  verifier: string | undefined,
): Promise<LocalLogin> {
  const timed = new TimedInlet(inlet, LOGIN_MS);
  const startup = await readStartup(timed, send);
  if (startup === undefined) return { kind: 'closed' };
  if (startup.name === 'CancelRequest') return { kind: 'cancel', request: startup };
  const version = negotiate(startup, send);
  if (verifier !== undefined && !(await proveSecret(timed, send, verifier))) return { kind: 'closed' };
  const cancelKeyBytes = version >= PROTOCOL_3_2 ? LONG_KEY_BYTES : SHORT_KEY_BYTES;
  return { kind: 'session', version, parameters: startup.parameters, cancelKeyBytes };
}

/** What is left of one stretch of time, over several reads. */
class TimedInlet {
  readonly #inlet: Inlet;
  readonly #end: number;

  constructor(inlet: Inlet, ms: number) {
    this.#inlet = inlet;
    this.#end = performance.now() + ms;
  }

  next(): Promise<Buffer | undefined> {
    return this.#inlet.nextWithin(Math.max(0, this.#end - performance.now()));
  }

  unshift(bytes: Buffer): void {
    this.#inlet.unshift(bytes);
  }
}

async function readStartup(
  inlet: TimedInlet,
  send: (bytes: Buffer) => void,
): Promise<StartupMessage | CancelRequest | undefined> {
  const framer = new StartupFramer();
  const asked = new Set<string>();
  // No packet has begun: neither TLS nor a goodbye begins as the length of one could.
  let fresh = true;
  for (;;) {
    const packet = framer.next();
    if (packet === undefined) {
      const chunk = await inlet.next();
      if (chunk === undefined) return undefined;
      if (fresh && chunk[0] === TLS_HANDSHAKE) return refuseTls(send);
      if (fresh && chunk[0] === FRONTEND.Terminate) return undefined;
      fresh = false;
      framer.push(chunk);
      continue;
    }
    fresh = true;
    const rest = framer.takeRest();
    if (packet.name === 'StartupMessage' || packet.name === 'CancelRequest') {
      inlet.unshift(rest);
      return packet;
    }
    if (rest.length > 0) {
      throw new HoopError('ERR_PROTOCOL', 'data was sent before the answer to the encryption request');
    }
    if (asked.has(packet.name)) throw new HoopError('ERR_PROTOCOL', 'encryption was asked for twice');
    asked.add(packet.name);
    send(REFUSED);
  }
}

/** A startup packet of that first octet would be of 369 MB: nothing else can be meant. */
function refuseTls(send: (bytes: Buffer) => void): undefined {
  send(TLS_ALERT);
  return undefined;
}

/**
 * Versions 3.0 and 3.2 are spoken, no options: a client that asks for another minor or for options is told so, and goes
 * on with what it is told. Version 3.1 was never released.
 *
 * @returns The version spoken from here on.
 */
function negotiate(startup: StartupMessage, send: (bytes: Buffer) => void): number {
  const version = startup.version >= PROTOCOL_3_2 ? PROTOCOL_3_2 : PROTOCOL_3_0;
  const unknownOptions = [...startup.protocolOptions.keys()];
  if (startup.version !== version || unknownOptions.length > 0)
    send(encodeBackend({ name: 'NegotiateProtocolVersion', version, unknownOptions }));
  return version;
}

/** @returns False if the peer left instead. */
async function proveSecret(
  inlet: TimedInlet,
  send: (bytes: Buffer) => void,
  verifier: string,
): Promise<boolean> {
  const scram = new ScramServer(parseVerifier(verifier), randomBytes(18).toString('base64'));
  const framer = new Framer('frontend', { largeBytes: MAX_LOGIN_BYTES });
  const ask = (request: Parameters<typeof encodeBackend>[0] & { name: 'Authentication' }) =>
    send(encodeBackend(request));
  ask({ name: 'Authentication', request: { method: 'SASL', mechanisms: [SCRAM_SHA_256] } });
  const first = await readResponse(inlet, framer);
  if (first === undefined) return false;
  const { mechanism, data } = SASLInitialResponse.decode(first);
  if (mechanism !== SCRAM_SHA_256 || data === null) {
    throw new HoopError('ERR_PROTOCOL', 'the client chose another way to log in');
  }
  ask({ name: 'Authentication', request: { method: 'SASLContinue', data: scram.challenge(data) } });
  const second = await readResponse(inlet, framer);
  if (second === undefined) return false;
  const final = scram.finish(AuthenticationResponse.decode(second).data);
  ask({ name: 'Authentication', request: { method: 'SASLFinal', data: final } });
  inlet.unshift(framer.takeRest());
  return true;
}

async function readResponse(inlet: TimedInlet, framer: Framer): Promise<Buffer | undefined> {
  for (;;) {
    const frame = framer.next();
    if (frame?.type === FRONTEND.AuthenticationResponse) return frame.body;
    if (frame !== undefined) throw new HoopError('ERR_PROTOCOL', 'a password was expected');
    const chunk = await inlet.next();
    if (chunk === undefined) return undefined;
    framer.push(chunk);
  }
}
