/**
 * The tunnel's own login in HTTP: the first request of each local connection shows the tunnel's secret before a stream is
 * opened for it. The gateway looks at every request.
 */
import type { Duplex } from 'node:stream';
import { Inlet } from '../../../core/bytes/inlet.ts';
import { HoopError } from '../../../core/errors.ts';
import { valuesOf } from '../../../wire/http/http1/head.ts';
import { type NotLocal, notLocal } from '../../../wire/http/local-check.ts';
import { type Admitted, Challenged, type LocalDoor } from '../door.ts';
import { answerRefusal } from './refusal.ts';

/** Octets of a first request's head; the gateway takes no more. */
const MAX_HEAD_BYTES = 96 * 1024;
/** Time for a client to ask for something, ms. One that keeps a connection for later opens it anew. */
const FIRST_MS = 60_000;
/** What HTTP/2 begins with where it was agreed on beforehand, RFC 9113 §3.4; what TLS begins with, RFC 8446 §5.1. */
const PREFACE = 'PRI ';
const TLS_HANDSHAKE = 0x16;

export class HttpDoor implements LocalDoor {
  readonly #proof: string;
  readonly #cure: string | undefined;

  /** @param proof Of the tunnel's secret; the gateway has it too. @param cure How clients show it; default by the URL. */
  constructor(proof: string, cure?: string) {
    this.#proof = proof;
    this.#cure = cure;
  }

  async admit(local: Duplex): Promise<Admitted | undefined> {
    const inlet = new Inlet(local);
    const silent = setTimeout(() => local.destroy(), FIRST_MS);
    local.resume();
    try {
      const first = await firstRequest(inlet);
      if (first === undefined) return undefined;
      const fields = first.head === undefined ? undefined : fieldsOf(first.head);
      const refusal = fields === undefined ? undefined : notLocal(fields, this.#proof);
      if (fields !== undefined && refusal !== undefined) throw refusalError(refusal, fields, this.#cure);
      const { octets } = first;
      return {
        introduce: async (remote) => {
          remote.write(octets);
          return true;
        },
        left: () => undefined,
      };
    } finally {
      clearTimeout(silent);
      const rest = inlet.release();
      if (rest.length > 0) local.unshift(rest);
    }
  }

  refuse(local: Duplex, error: HoopError): void {
    answerRefusal(local, error);
  }
}

/** Who shows no secret may ask again with it; a page of another site may not. */
function refusalError({ status, reason, hint }: NotLocal, fields: readonly string[], cure = hint): HoopError {
  if (status !== 401) return new HoopError('ERR_DENIED', reason, { hint });
  const said = valuesOf(fields, 'authorization');
  return new (said.length === 0 ? Challenged : HoopError)('ERR_LOCAL_AUTH', reason, { hint: cure });
}

interface FirstRequest {
  readonly octets: Buffer;
  /** Undefined: it is not to be read here. What it shows is looked at by the gateway alone. */
  readonly head: string | undefined;
}

/** @returns Undefined if there is none. @throws {HoopError} `ERR_TOO_LARGE` its head does not end. */
async function firstRequest(inlet: Inlet): Promise<FirstRequest | undefined> {
  let octets = Buffer.alloc(0);
  for (;;) {
    const chunk = await inlet.next();
    if (chunk === undefined) return undefined;
    octets = Buffer.concat([octets, chunk]);
    if (octets[0] === TLS_HANDSHAKE) return { octets, head: undefined };
    const start = octets.toString('latin1', 0, PREFACE.length);
    if (start === PREFACE) return { octets, head: undefined };
    // Lines that end in LF alone are no head to the gateway, which says so.
    const text = octets.toString('latin1', 0, MAX_HEAD_BYTES);
    const end = text.search(/\r?\n\r?\n/);
    if (end !== -1) return { octets, head: text.slice(0, end) };
    if (octets.length > MAX_HEAD_BYTES)
      throw new HoopError('ERR_TOO_LARGE', "the request's head is too long");
  }
}

/** Names and values in turn. Whatever is malformed is refused by the gateway, for all who show the secret. */
function fieldsOf(head: string): string[] {
  const [, ...lines] = head.split(/\r?\n/);
  return lines.flatMap((line) => {
    const colon = line.indexOf(':');
    return colon === -1 ? [] : [line.slice(0, colon), line.slice(colon + 1).trim()];
  });
}
