/**
 * The local end of a tunnel for SSH. That its clients have the tunnel's key is for the gateway to see: the signature is made
 * within what only both ends of SSH can read. Here only what is no SSH is kept out, a browser above all.
 */
import type { Duplex } from 'node:stream';
import { Inlet } from '../../../core/bytes/inlet.ts';
import { HoopError } from '../../../core/errors.ts';
import type { Admitted, LocalDoor } from '../door.ts';
import { refuseClient } from './refusal.ts';

/** What every client says first, RFC 4253 §4.2. */
const BEGINNING = Buffer.from('SSH-');
/** A client may wait for the server to speak first, ms. */
const SILENT_MS = 250;

export class SshDoor implements LocalDoor {
  async admit(local: Duplex): Promise<Admitted | undefined> {
    const inlet = new Inlet(local);
    local.resume();
    let octets: Buffer = Buffer.alloc(0);
    try {
      while (octets.length < BEGINNING.length) {
        const chunk = await orSilence(inlet.next());
        if (chunk === 'silence') break;
        if (chunk === undefined) return undefined;
        octets = Buffer.concat([octets, chunk]);
        if (!begins(octets)) throw new HoopError('ERR_PROTOCOL', 'what came is not SSH');
      }
    } finally {
      const rest = inlet.release();
      if (rest.length > 0) local.unshift(rest);
    }
    return {
      introduce: async (remote) => {
        if (octets.length > 0) remote.write(octets);
        return true;
      },
      left: () => undefined,
    };
  }

  refuse(local: Duplex, error: HoopError): void {
    refuseClient(local, error);
  }
}

function begins(octets: Buffer): boolean {
  const length = Math.min(octets.length, BEGINNING.length);
  return octets.subarray(0, length).equals(BEGINNING.subarray(0, length));
}

async function orSilence(next: Promise<Buffer | undefined>): Promise<Buffer | undefined | 'silence'> {
  const silent = Promise.withResolvers<'silence'>();
  const timer = setTimeout(() => silent.resolve('silence'), SILENT_MS);
  try {
    return await Promise.race([next, silent.promise]);
  } finally {
    clearTimeout(timer);
  }
}
