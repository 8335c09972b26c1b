import { Duplex } from 'node:stream';
import { expect, it } from 'vitest';
import { SSH_LIMITS } from '../../../src/protocols/ssh/limits.ts';
import { Intake } from '../../../src/protocols/ssh/relay/intake.ts';

/** A connection whose other side reads when it is told to. */
function connection() {
  let take: () => void = () => undefined;
  const socket = new Duplex({
    read: () => undefined,
    write: (_chunk, _encoding, done) => {
      take = done;
    },
  });
  const intake = new Intake(socket.resume());
  return { socket, intake, reads: () => take() };
}

it('reads no further while its own answers are not read', async () => {
  const { socket, reads } = connection();
  socket.write(Buffer.alloc(SSH_LIMITS.unreadBytes));
  socket.push('asks');
  await expect.poll(() => socket.readableLength).toBe(0);
  expect(socket.isPaused()).toBe(false);
  socket.write('one more');
  socket.push('asks');
  await expect.poll(() => socket.isPaused()).toBe(true);
  reads();
  reads();
  await expect.poll(() => socket.isPaused()).toBe(false);
});

it('reads no further while too much of what was asked is not on record', async () => {
  const { socket, intake } = connection();
  const questions = Array.from({ length: SSH_LIMITS.recordedAtOnce }, () => Promise.withResolvers<number>());
  const asked = questions.map(({ promise }) => intake.during(promise));
  expect(socket.isPaused()).toBe(true);
  questions[0]!.resolve(7);
  expect(await asked[0]).toBe(7);
  expect(socket.isPaused()).toBe(false);
  for (const { reject } of questions.slice(1)) reject(new Error('no'));
  await expect(asked[1]).rejects.toThrow('no');
  expect((await Promise.allSettled(asked)).length).toBe(SSH_LIMITS.recordedAtOnce);
});
