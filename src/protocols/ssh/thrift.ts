import { createSecretKey, type KeyObject } from 'node:crypto';
import type { Duplex } from 'node:stream';
import type { Client, Connection } from 'ssh2';
import type { BulkMemory } from '../../core/bytes/bulk-memory.ts';
import { HoopError } from '../../core/errors.ts';

/** What ssh2 does not tell, as it is in the version that package.json names. */
interface Protocol {
  _onWrite(bytes: Buffer): void;
  readonly _cipher: Keys;
  readonly _decipher: Keys;
}

/** Of each octet that comes or goes, ssh2 and Node make so many copies. */
const COPIES = 3;
const KEYS = ['_encKey', '_decipherKey', '_macKey'] as const;
type Keys = { [Key in (typeof KEYS)[number]]?: Buffer | KeyObject };

/**
 * Has ssh2 spend less on each packet. Of one it writes the length, the octets and the tag apart, each a write to the system or
 * a record of TLS: what is written in one turn of the event loop leaves in one. And it gives its keys as octets, from which
 * Node makes a key anew for each packet: it is given keys. And the memory that it takes is given back while it is young.
 *
 * @param client Before it has agreed on keys.
 * @param socket The one that it writes to. Ending it sends what waits; destroying it does not.
 * @throws {HoopError} `ERR_INTERNAL` this ssh2 is made otherwise.
 */
export function thrifty(client: Client | Connection, socket: Duplex, bulk: BulkMemory): void {
  const { _protocol: protocol } = client as unknown as { readonly _protocol?: Protocol };
  if (typeof protocol?._onWrite !== 'function')
    throw new HoopError('ERR_INTERNAL', undefined, { detail: 'this ssh2 is made otherwise' });
  const write = protocol._onWrite;
  let gathers = false;
  protocol._onWrite = (bytes) => {
    if (!gathers) {
      gathers = true;
      socket.cork();
      setImmediate(() => {
        gathers = false;
        socket.uncork();
      });
    }
    bulk.spent(COPIES * bytes.length);
    write(bytes);
  };
  socket.on('data', (bytes: Buffer) => bulk.spent(COPIES * bytes.length));
  // New ones come with each exchange of keys.
  (client as Client).on('handshake', () => {
    for (const keys of [protocol._cipher, protocol._decipher]) made(keys);
  });
}

function made(keys: Keys): void {
  for (const name of KEYS) {
    const octets = keys[name];
    if (Buffer.isBuffer(octets)) keys[name] = createSecretKey(octets);
  }
}
