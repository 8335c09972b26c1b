import type { OnReadOpts, Socket } from 'node:net';

/** A connection whose octets can be had without new memory for each read. */
export interface DirectReads {
  /**
   * From now on calls `take` with what arrives instead of `data` events; what the socket holds already still comes as
   * such, before. The bytes are overwritten when `take` returns. Undefined: it reads as any other again.
   */
  deliver(take: ((bytes: Buffer) => void) | undefined): void;
}

/**
 * Makes a socket read into memory of ours, which any number of sockets may share: give `onread` to what makes it, then
 * the socket to `attach`, in the same turn of the event loop. Until `deliver` is called it reads as any other.
 *
 * @see https://nodejs.org/api/net.html#socketconnectoptions-connectlistener `onread`
 */
export function directReads(memory: Buffer): {
  readonly onread: OnReadOpts;
  readonly attach: <S extends Socket>(socket: S) => S & DirectReads;
} {
  let take: ((bytes: Buffer) => void) | undefined;
  let push: (bytes: Buffer) => boolean = () => true;
  const onread = {
    buffer: memory,
    callback: (size: number) => {
      const bytes = memory.subarray(0, size);
      if (take === undefined) return push(Buffer.from(bytes));
      take(bytes);
      return true;
    },
  };
  const attach = <S extends Socket>(socket: S) => {
    push = (bytes) => socket.push(bytes);
    return Object.assign(socket, {
      deliver: (to: ((bytes: Buffer) => void) | undefined) => {
        take = to;
      },
    });
  };
  return { onread, attach };
}

/** Whether a stream can do so. */
export function readsDirectly<S extends object>(stream: S): stream is S & DirectReads {
  return 'deliver' in stream && typeof stream.deliver === 'function';
}
