/** Sockets that read into memory of ours. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { directReads } from '../../../src/core/bytes/direct-reads.ts';
import { eventually } from '../../support/waiting.ts';

const open: { destroy?: () => void; close?: () => void }[] = [];

afterEach(() => {
  for (const one of open.splice(0)) one.destroy?.() ?? one.close?.();
});

/** A socket that reads directly, and its other end. */
async function pair(memory: Buffer) {
  const server = createServer().listen(0, '127.0.0.1');
  open.push({ close: () => void server.close() });
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const { onread, attach } = directReads(memory);
  const socket = attach(connect({ port, host: '127.0.0.1', onread }));
  const [[peer]] = (await Promise.all([once(server, 'connection'), once(socket, 'connect')])) as [
    [Socket],
    unknown,
  ];
  open.push(socket, peer);
  return { socket, peer };
}

it('octets are delivered where they lie, and as data before and after that', async () => {
  const memory = Buffer.alloc(1024);
  const { socket, peer } = await pair(memory);
  const said: string[] = [];
  socket.on('data', (chunk: Buffer) => said.push(`data ${chunk}`));
  const told = (text: string) => eventually(text, () => said.includes(text));
  peer.write('one');
  await told('data one');
  socket.deliver((bytes) => {
    said.push(`delivered ${bytes}, there: ${bytes.buffer === memory.buffer}`);
  });
  peer.write('two');
  await told('delivered two, there: true');
  socket.deliver(undefined);
  peer.write('three');
  await told('data three');
  expect(said).toEqual(['data one', 'delivered two, there: true', 'data three']);
});

it('one that is paused is not read, and its end comes behind all', async () => {
  const { socket, peer } = await pair(Buffer.alloc(64 * 1024));
  let length = 0;
  let ended = -1;
  socket
    .on('data', () => undefined)
    .on('end', () => {
      ended = length;
    });
  socket.deliver((bytes) => {
    length += bytes.length;
    socket.pause();
  });
  const size = 32 * 1024 * 1024;
  peer.end(Buffer.alloc(size));
  await eventually('the first comes', () => length > 0);
  const first = length;
  await new Promise((resolve) => setImmediate(resolve));
  expect([length, peer.writableLength > 0]).toEqual([first, true]);
  socket.deliver((bytes) => {
    length += bytes.length;
  });
  socket.resume();
  await eventually('the end', () => ended !== -1);
  expect(ended).toBe(size);
});
