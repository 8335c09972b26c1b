import { expect, it } from 'vitest';
import { PACKET, PacketFramer, packet } from '../../../src/protocols/ssh/sftp/packets.ts';
import { string } from '../../../src/wire/ssh/fields.ts';

/** All that is whole. */
function whole(framer: PacketFramer): Buffer[] {
  const packets: Buffer[] = [];
  for (let one = framer.next(); one !== undefined; one = framer.next()) packets.push(one);
  return packets;
}

const PACKETS = [0, 1, 1019, 1020, 40_000].map((size, id) =>
  packet(PACKET.stat, id, string(Buffer.alloc(size, id))),
);

it.each([1, 3, 512, 1024, 1025, 70_000])('puts packets together out of pieces of %i octets', (size) => {
  const octets = Buffer.concat(PACKETS);
  const framer = new PacketFramer();
  const got: Buffer[] = [];
  for (let at = 0; at < octets.length; at += size) {
    framer.add(octets.subarray(at, at + size));
    got.push(...whole(framer));
  }
  expect(got.map((one) => one.toString('hex'))).toEqual(PACKETS.map((one) => one.toString('hex')));
  expect(framer.waitingBytes).toBe(0);
});

it('counts what waits, and keeps it until it is asked for', () => {
  const framer = new PacketFramer();
  for (const one of [...PACKETS, PACKETS[0]!.subarray(0, 6)]) framer.add(one);
  const sizes = [...PACKETS.map(({ length }) => length), 6];
  for (let left = sizes.reduce((sum, one) => sum + one, 0); sizes.length > 1; left -= sizes.shift()!) {
    expect(framer.waitingBytes).toBe(left);
    expect(framer.next()?.length).toBe(sizes[0]);
  }
  expect([framer.next(), framer.waitingBytes]).toEqual([undefined, 6]);
});

it.each([0, 4, 256 * 1024 + 1, 0xffffffff])('reads nothing behind a length of %i', (length) => {
  const framer = new PacketFramer();
  const head = Buffer.alloc(4);
  head.writeUInt32BE(length);
  framer.add(head);
  expect(() => framer.next()).toThrow('cannot have');
});
