import { once } from 'node:events';
import { type Duplex, duplexPair } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { SshDoor } from '../../../src/client/local/ssh/door.ts';
import { localSsh } from '../../../src/client/local/ssh/index.ts';
import { HoopError } from '../../../src/core/errors.ts';
import { disconnectText, PlainReader } from '../../../src/wire/ssh/packet.ts';

const BANNER = 'SSH-2.0-client\r\n';

async function said(end: Duplex): Promise<Buffer> {
  const chunks: Buffer[] = [];
  end.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(end, 'end');
  return Buffer.concat(chunks);
}

describe('the local end for SSH', () => {
  it('hands on what a client says, at every split of it', async () => {
    for (let at = 1; at <= BANNER.length; at++) {
      const [client, local] = duplexPair();
      const [remote, target] = duplexPair();
      const admitted = new SshDoor().admit(local);
      client.write(BANNER.slice(0, at));
      if (at < BANNER.length) client.write(BANNER.slice(at));
      expect(await (await admitted)!.introduce(remote)).toBe(true);
      local.pipe(remote);
      client.end();
      expect((await said(target)).toString(), String(at)).toBe(BANNER);
    }
  });

  it('opens nothing for what is no SSH, nor for one who leaves', async () => {
    for (const text of ['GET / HTTP/1.1\r\n', 'SSX', '\x16\x03\x01']) {
      const [client, local] = duplexPair();
      const admitted = new SshDoor().admit(local);
      client.write(text);
      await expect(admitted).rejects.toMatchObject({ code: 'ERR_PROTOCOL' });
    }
    const [client, local] = duplexPair();
    const admitted = new SshDoor().admit(local);
    client.end('SS');
    expect(await admitted).toBeUndefined();
  });

  it('waits for no client that waits for the server', async () => {
    const [, local] = duplexPair();
    expect(await new SshDoor().admit(local)).toBeDefined();
  });

  it('tells a refusal as the reason of a disconnect, without what could move a cursor', async () => {
    const [client, local] = duplexPair();
    localSsh.refuse(local, new HoopError('ERR_DENIED', 'no\u001b[2J', { hint: 'ask' }));
    const [line, payload] = new PlainReader().feed(await said(client)) as [unknown, { payload: Buffer }];
    expect(line).toEqual({ line: 'SSH-2.0-hoopctl' });
    expect(disconnectText(payload.payload)).toBe(
      'no\\x1b[2J {"rule":"ERR_DENIED","reason":"no\\u001b[2J","hint":"ask","next":"report","retryable":false}',
    );
    expect(payload.payload.readUInt32BE(1)).toBe(1);
  });

  it('has a key of its own for each tunnel, of which the gateway is shown the public half', async () => {
    const [one, two] = await Promise.all([localSsh.guard(), localSsh.guard()]);
    expect(one.proof).toMatchObject({
      kind: 'ssh-key',
      value: expect.stringMatching(/^AAAAC3NzaC1lZDI1NTE5AAAAI.{43}$/),
    });
    expect(one.proof.value).not.toBe(two.proof.value);
    expect(one.secret).toMatch(/^-----BEGIN OPENSSH PRIVATE KEY-----\n/);
  });
});
