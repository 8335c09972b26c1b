import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import {
  AHEAD_WORDS,
  type Ahead,
  EXPORTER_BYTES,
  EXPORTER_LABEL,
  type LocalProof,
  PATHS,
  TUNNEL_HEADERS,
  TUNNEL_PROTOCOL,
} from '../../api/contract.ts';
import { HoopError } from '../../core/errors.ts';
import { parseLocalProof, RETIRED_HEADER } from './local-proof.ts';

/** What a stream's opening request says, checked for shape and not yet believed. */
export interface TunnelRequest {
  /** As asked for; may name nothing that exists. */
  readonly resource: string;
  readonly reason: string | undefined;
  /** An approval is asked for where one is needed: whoever opens it waits for the answer. */
  readonly asks: boolean;
  /** Nothing that is sent over it is to run: it is asked for, ahead, or explained. */
  readonly ahead: Ahead | undefined;
  /** Under which the caller asks: the same again is the same request. */
  readonly idempotencyKey: string | undefined;
  /** The tunnel that the stream is part of; undefined: of none, as with hoopctl before version 0.2. */
  readonly id: string | undefined;
  /** Which of many places behind the resource; may be none of them. */
  readonly place: string | undefined;
  /** Of the tunnel's own secret. Undefined where the local end is its owner's alone. */
  readonly localProof: LocalProof | undefined;
}

const RESOURCE = /^[a-z0-9][a-z0-9._-]{0,62}$/;
/** 128 random bits, base64url. */
const TUNNEL_ID = /^[A-Za-z0-9_-]{22}$/;
/** A string without escapes, or what many write without quotes. @see RFC 9651 §3.3.3 */
const IDEMPOTENCY_KEY = /^(?:"([ !#-[\]-~]{1,255})"|([\w.~:/+=-]{1,255}))$/;
/** A host's name or address. */
const PLACE = /^[A-Za-z0-9_][A-Za-z0-9_.:-]{0,252}$/;
const MAX_REASON_BYTES = 1024;

/** Whether a request wants to become a tunnel. Pure; never throws. */
export function isTunnelRequest(request: IncomingMessage): boolean {
  return (
    request.method === 'GET' &&
    request.headers.upgrade?.toLowerCase() === TUNNEL_PROTOCOL &&
    pathOf(request).startsWith(`${PATHS.tunnel}/`)
  );
}

/** Who connected, as the kernel says: behind a balancer that is the balancer. */
export function addressOf(request: IncomingMessage): string {
  return request.socket.remoteAddress ?? 'unknown';
}

/** The request's path without its query. */
export function pathOf(request: IncomingMessage): string {
  return (request.url ?? '/').split('?', 1)[0]!;
}

/**
 * Reads the opening request of a stream. Pure.
 *
 * @throws {HoopError} `ERR_NO_ACCESS` for a name that no resource can have; `ERR_USAGE` for a malformed field.
 */
export function parseTunnelRequest(request: IncomingMessage): TunnelRequest {
  const resource = pathOf(request).slice(PATHS.tunnel.length + 1);
  if (!RESOURCE.test(resource)) throw new HoopError('ERR_NO_ACCESS');
  const id = single(request, TUNNEL_HEADERS.tunnel);
  if (id !== undefined && !TUNNEL_ID.test(id))
    throw new HoopError('ERR_USAGE', `${TUNNEL_HEADERS.tunnel} is not 128 bits in base64url`);
  const approval = single(request, TUNNEL_HEADERS.approval);
  const ahead = (Object.keys(AHEAD_WORDS) as Ahead[]).find((one) => AHEAD_WORDS[one] === approval);
  const asks = ahead === 'asks' || approval === 'ask';
  const place = single(request, TUNNEL_HEADERS.place);
  if (place !== undefined && !PLACE.test(place))
    throw new HoopError('ERR_USAGE', `${TUNNEL_HEADERS.place} is no name of a place`);
  const idempotencyKey = keyOf(request);
  if (idempotencyKey !== undefined && !asks)
    throw new HoopError('ERR_USAGE', `${TUNNEL_HEADERS.idempotency} goes with ${TUNNEL_HEADERS.approval}`);
  const [reason, localProof] = [reasonOf(request), localProofOf(request)];
  return { resource, id, asks, ahead, idempotencyKey, reason, place, localProof };
}

function keyOf(request: IncomingMessage): string | undefined {
  const raw = single(request, TUNNEL_HEADERS.idempotency);
  if (raw === undefined) return undefined;
  const [, quoted, token] = IDEMPOTENCY_KEY.exec(raw) ?? [];
  const key = quoted ?? token;
  if (key === undefined)
    throw new HoopError('ERR_USAGE', `${TUNNEL_HEADERS.idempotency} is no string of 1 to 255 characters`);
  return key;
}

function localProofOf(request: IncomingMessage): LocalProof | undefined {
  // To pass it over would leave a local port open to whoever finds it.
  if (single(request, RETIRED_HEADER) !== undefined)
    throw new HoopError('ERR_USAGE', 'this hoopctl is too old for the gateway', {
      hint: 'upgrade hoopctl to 0.2 or later',
    });
  const text = single(request, TUNNEL_HEADERS.localProof);
  return text === undefined ? undefined : parseLocalProof(text);
}

function reasonOf(request: IncomingMessage): string | undefined {
  const raw = single(request, TUNNEL_HEADERS.reason);
  if (raw === undefined || raw === '') return undefined;
  const malformed = new HoopError('ERR_USAGE', 'the reason is not percent-encoded UTF-8 of at most 1 KiB');
  if (raw.length > 3 * MAX_REASON_BYTES) throw malformed;
  try {
    const reason = decodeURIComponent(raw);
    if (Buffer.byteLength(reason) > MAX_REASON_BYTES) throw malformed;
    // Shown in terminals and to approvers: control and direction characters could spoof what they read.
    return reason.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, ' ');
  } catch {
    throw malformed;
  }
}

function single(request: IncomingMessage, name: string): string | undefined {
  const values = request.headersDistinct[name];
  if (values === undefined) return undefined;
  if (values.length > 1) throw new HoopError('ERR_USAGE', `${name} is given twice`);
  return values[0];
}

/**
 * The value that only the two ends of this TLS connection share: a proof that names it is worthless elsewhere.
 *
 * @throws {HoopError} `ERR_PROOF_INVALID` if the stream is not TLS.
 * @see RFC 9266
 */
export function exporterOf(socket: Duplex): Buffer {
  if (!(socket instanceof TLSSocket)) throw new HoopError('ERR_PROOF_INVALID');
  return socket.exportKeyingMaterial(EXPORTER_BYTES, EXPORTER_LABEL, Buffer.alloc(0));
}
