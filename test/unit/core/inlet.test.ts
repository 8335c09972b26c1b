import { PassThrough } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { Inlet } from '../../../src/core/bytes/inlet.ts';

function setUp() {
  const stream = new PassThrough({ highWaterMark: 1 << 20 });
  return { stream, inlet: new Inlet(stream) };
}

it('gives each chunk in order, the next only when the one before is done with', async () => {
  const { stream, inlet } = setUp();
  const seen: string[] = [];
  let release: (() => void) | undefined;
  const over = inlet.consume((chunk) => {
    seen.push(chunk.toString());
    if (seen.length !== 2) return true;
    return new Promise((resolve) => {
      release = () => resolve(true);
    });
  });
  for (const text of ['a', 'b', 'c', 'd']) {
    stream.write(text);
    await turn();
  }
  expect(seen).toEqual(['a', 'b']);
  release?.();
  await turn();
  expect(seen).toEqual(['a', 'b', 'c', 'd']);
  stream.end();
  await over;
});

it('begins with what arrived, or was put back, before', async () => {
  const { stream, inlet } = setUp();
  stream.write('later');
  await turn();
  inlet.unshift(Buffer.from('first'));
  const seen: string[] = [];
  const over = inlet.consume((chunk) => {
    seen.push(chunk.toString());
    return true;
  });
  expect(seen).toEqual(['first', 'later']);
  inlet.close();
  await over;
});

it('pauses a peer that sends faster than it is served, and goes on with it', async () => {
  const { stream, inlet } = setUp();
  let release: (() => void) | undefined;
  let bytes = 0;
  const over = inlet.consume((chunk) => {
    bytes += chunk.length;
    if (release !== undefined) return true;
    return new Promise((resolve) => {
      release = () => resolve(true);
    });
  });
  for (let i = 0; i < 8; i++) {
    stream.write(Buffer.alloc(100_000));
    await turn();
  }
  expect(stream.isPaused()).toBe(true);
  release?.();
  stream.end();
  await over;
  expect(bytes).toBe(800_000);
});

it('ends when told to, and rejects with what the one who takes throws, at once or later', async () => {
  for (const fail of [
    () => {
      throw new Error('no');
    },
    () => Promise.reject(new Error('no')),
  ]) {
    const { stream, inlet } = setUp();
    const over = inlet.consume(fail);
    stream.write('x');
    await expect(over).rejects.toThrow('no');
  }
  const { stream, inlet } = setUp();
  const seen: string[] = [];
  const over = inlet.consume((chunk) => {
    seen.push(chunk.toString());
    return false;
  });
  stream.write('x');
  await over;
  stream.write('y');
  await turn();
  expect(seen).toEqual(['x']);
  expect((await inlet.next())?.toString()).toBe('y');
});
