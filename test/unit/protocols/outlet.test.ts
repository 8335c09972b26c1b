import { Duplex, Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { SlabPool, SlabSizes } from '../../../src/core/bytes/slabs.ts';
import { type Evidence, Outlet } from '../../../src/protocols/stream/outlet.ts';

const SLAB_BYTES = 4096;

/** A client that takes one write at a time when told, and keeps what it was given only then. */
class SlowClient extends Duplex {
  readonly taken: Buffer[] = [];
  writes = 0;
  #go: (() => void) | undefined;

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error) => void): void {
    this.writes++;
    this.#go = () => {
      this.taken.push(Buffer.from(chunk));
      done();
    };
  }

  accept(): void {
    const go = this.#go;
    this.#go = undefined;
    go?.();
  }
}

class Recorded implements Evidence {
  readonly parts: Buffer[] = [];
  pendingBytes = 0;
  shown(bytes: Uint8Array): void {
    this.parts.push(Buffer.from(bytes));
  }
  wake: () => void = () => undefined;
  drained(): Promise<void> {
    return new Promise((resolve) => {
      this.wake = resolve;
    });
  }
}

function parts() {
  const client = new SlowClient();
  const recorder = new Recorded();
  const source = new Readable({ read() {} });
  source.resume();
  return {
    client,
    recorder,
    source,
    outlet: new Outlet(client, recorder, new SlabSizes([new SlabPool(SLAB_BYTES, 4)]), () => undefined),
  };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('the way to the client', () => {
  it('brings every octet once and in order though the memory it came in is used again', async () => {
    const { client, recorder, source, outlet } = parts();
    const memory = Buffer.alloc(SLAB_BYTES);
    const sent: Buffer[] = [];
    for (let i = 0; i < 400; i++) {
      const size = (i * 7919) % SLAB_BYTES;
      memory.fill(i, 0, size);
      sent.push(Buffer.from(memory.subarray(0, size)));
      outlet.send([memory.subarray(0, size >> 1), memory.subarray(size >> 1, size)], source);
      memory.fill(0xff);
      if (i % 97 === 0) {
        const large = Buffer.alloc(3 * SLAB_BYTES + 1, i);
        sent.push(large);
        outlet.send([large], source);
      }
      if (i % 3 === 0) client.accept();
      if (i % 5 === 0) await turn();
    }
    while (client.writableLength > 0) {
      client.accept();
      await turn();
    }
    const all = Buffer.concat(sent);
    expect(Buffer.concat(client.taken).equals(all)).toBe(true);
    expect(Buffer.concat(recorder.parts).equals(all)).toBe(true);
    expect(outlet.sent).toBe(all.length);
    expect(client.writes).toBeLessThan(400);
  });

  it('pauses the target while the client does not read, and lets it go on after', async () => {
    const { client, source, outlet } = parts();
    let given = 0;
    while (!source.isPaused() && given < 10_000_000) {
      outlet.send([Buffer.alloc(SLAB_BYTES)], source);
      given += SLAB_BYTES;
    }
    expect(given).toBeLessThanOrEqual(200_000);
    for (let i = 0; i < 100; i++) {
      client.accept();
      await turn();
    }
    expect(source.isPaused()).toBe(false);
  });

  it('pauses the target while the disk does not take the recording', async () => {
    const { client, recorder, source, outlet } = parts();
    recorder.pendingBytes = 9 * 1024 * 1024;
    outlet.send([Buffer.alloc(10)], source);
    expect(source.isPaused()).toBe(true);
    client.accept();
    await turn();
    expect(source.isPaused()).toBe(true);
    recorder.pendingBytes = 0;
    recorder.wake();
    await turn();
    expect(source.isPaused()).toBe(false);
  });

  it('says the last words behind what waits', async () => {
    const { client, source, outlet } = parts();
    outlet.send([Buffer.from('a')], source);
    outlet.send([Buffer.from('b')], source);
    outlet.plain(Buffer.from('c'));
    for (let i = 0; i < 4; i++) {
      client.accept();
      await turn();
    }
    expect(Buffer.concat(client.taken).toString()).toBe('abc');
  });

  it('sends nothing to a client that has left, and records nothing for it', async () => {
    const { client, recorder, source, outlet } = parts();
    client.on('error', () => undefined);
    while (!source.isPaused()) outlet.send([Buffer.alloc(SLAB_BYTES)], source);
    client.destroy();
    await turn();
    const before = recorder.parts.length;
    outlet.send([Buffer.alloc(1)], source);
    outlet.plain(Buffer.alloc(1));
    expect(recorder.parts).toHaveLength(before);
  });
});
