import { generateKeyPairSync } from 'node:crypto';
import type { Socket } from 'node:net';
import { HoopError, isHoopError } from '../../../core/errors.ts';
import { ecdhInit, hostKeyIn, keyExchangeOffer, offeredHostKeys } from '../../../wire/ssh/key-exchange.ts';
import { disconnectText, PlainReader, packet } from '../../../wire/ssh/packet.ts';
import { nextChunk } from '../../stream/dial.ts';

const IDENTIFICATION = 'SSH-2.0-hoopd\r\n';

/**
 * Asks a host which key it has, and goes. What it shows is not to be believed yet: that it has the private half is proved
 * by the connection that is then made with it.
 *
 * @param socket Connected, nothing read yet. Destroyed afterwards.
 * @param algorithms Kinds of keys or certificates, the best first.
 * @returns The blob of the first that it has; undefined: it has none of them.
 * @throws {HoopError} `ERR_TARGET_UNREACHABLE` the connection broke or ended; `ERR_TARGET_LOST` it does not speak SSH.
 */
export async function scanHostKey(
  socket: Socket,
  algorithms: readonly string[],
): Promise<Buffer | undefined> {
  const reader = new PlainReader();
  socket.write(IDENTIFICATION);
  socket.write(packet(keyExchangeOffer(algorithms)));
  try {
    for (;;) {
      for (const said of reader.feed(await nextChunk(socket))) {
        if ('line' in said) continue;
        const { payload } = said;
        const offered = offeredHostKeys(payload);
        if (offered !== undefined) {
          if (!algorithms.some((one) => offered.includes(one))) return undefined;
          socket.write(packet(ecdhInit(ownPoint())));
        }
        const key = hostKeyIn(payload);
        if (key !== undefined) return Buffer.from(key);
        refuseEnd(payload);
      }
    }
  } catch (error) {
    throw isHoopError(error) && error.code === 'ERR_PROTOCOL' ? notSsh(error) : error;
  } finally {
    socket.destroy();
  }
}

/** Whose fault it is: not the client's. */
function notSsh(error: HoopError): HoopError {
  return new HoopError('ERR_TARGET_LOST', undefined, { detail: error.message, cause: error });
}

function refuseEnd(payload: Buffer): void {
  const text = disconnectText(payload);
  if (text === undefined) return;
  throw new HoopError('ERR_TARGET_UNREACHABLE', undefined, {
    detail: `it said goodbye: ${text.slice(0, 200)}`,
  });
}

function ownPoint(): Buffer {
  const { x = '' } = generateKeyPairSync('x25519').publicKey.export({ format: 'jwk' });
  return Buffer.from(x, 'base64url');
}
