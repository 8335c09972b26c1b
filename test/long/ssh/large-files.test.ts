import { createHash, randomBytes } from 'node:crypto';
import { createReadStream, createWriteStream, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { growthOf, MiB } from '../../support/memory.ts';
import { type Sshd, startSshd } from '../../support/ssh/sshd.ts';
import { type Stack, startStack } from '../../support/stack.ts';

const SIZE_MIB = 1024;
/** What hoopd may hold more: windows, sockets, and what V8 has not collected yet. */
const GROWTH_KIB = 160 * MiB;

let directory: string;
let sshd: Sshd;
let stack: Stack;
let expected: string;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'ssh-large-'));
  expected = await written('large');
  sshd = await startSshd();
  stack = await startStack({
    resources: () => `  host-1:
    protocol: ssh
    target: { host: 127.0.0.1, port: ${sshd.port}, hostKeys: ['${sshd.publicKey('host')}'] }
    credentials: { user: ${sshd.user}, key: { file: ${sshd.file('user')} } }`,
  });
});

afterAll(async () => {
  await stack?.stop();
  await sshd?.stop();
  rmSync(directory, { recursive: true, force: true });
});

/** A file of `SIZE_MIB` in which no block is as another. @returns Its hash. */
async function written(name: string): Promise<string> {
  const block = randomBytes(1024 * 1024);
  const hash = createHash('sha256');
  const blocks = function* () {
    for (let n = 0; n < SIZE_MIB; n++) {
      block.writeUInt32BE(n);
      const copy = Buffer.from(block);
      hash.update(copy);
      yield copy;
    }
  };
  await pipeline(Readable.from(blocks()), createWriteStream(join(directory, name)));
  return hash.digest('hex');
}

async function hashOf(name: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(join(directory, name)), hash);
  return hash.digest('hex');
}

/** A script of the shell within a tunnel. Gives what it printed, and by how much hoopd grew meanwhile, KiB. */
async function within(script: string): Promise<{ readonly stdout: string; readonly hoopd: number }> {
  let stdout = '';
  const { hoopd } = await growthOf({ hoopd: stack.hoopd.child.pid }, async () => {
    const ran = await stack.hoopctl(['connect', 'host-1', '--', 'sh', '-c', script], { D: directory });
    if (ran.exitCode !== 0) throw new Error(ran.stderr);
    stdout = ran.stdout;
  });
  return { stdout, hoopd };
}

const SFTP = 'sftp -q -F "$HOOP_SSH_CONFIG" -b - host-1';

describe('1 GiB', () => {
  // What hoopd takes once, whoever comes.
  beforeAll(() => within(`head -c 50000000 $D/large > $D/warm; echo put $D/warm $D/warm-2 | ${SFTP}`));

  it.each([
    ['up by sftp', `echo put $D/large $D/copy | ${SFTP}`],
    ['down by sftp', `echo get $D/large $D/copy | ${SFTP}`],
    ['down by cat', 'ssh -v -F "$HOOP_SSH_CONFIG" host-1 cat $D/large > $D/copy 2> $D/told'],
  ])('goes %s unchanged, in memory that does not grow with it', async (_, script) => {
    const { hoopd } = await within(`rm -f $D/copy; ${script}`);
    expect(await hashOf('copy')).toBe(expected);
    expect(hoopd).toBeLessThan(GROWTH_KIB);
  });

  it('is more than one set of keys is used for', () => {
    // OpenSSH asks for new ones after 4 GiB.
    const told = readFileSync(join(directory, 'told'), 'utf8');
    expect(told.match(/SSH2_MSG_NEWKEYS received/g)?.length).toBeGreaterThan(1);
  });
});
