import { createHash } from 'node:crypto';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PACKET, packet } from '../../../src/protocols/ssh/sftp/packets.ts';
import { string, uint32, uint64 } from '../../../src/wire/ssh/fields.ts';
import {
  APPEND,
  CREATE,
  type Decide,
  NO_ATTRIBUTES,
  READ,
  SftpSession,
  said,
  TRUNCATE,
  WRITE,
} from '../../support/ssh/sftp-session.ts';

let root = '';
let session: SftpSession;
const sessions: SftpSession[] = [];

async function started(decide: Decide = () => true): Promise<SftpSession> {
  session = await new SftpSession(root, decide).greeted();
  sessions.push(session);
  return session;
}

beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'hoop-sftp-')));
  mkdirSync(join(root, 'data', 'sub'), { recursive: true });
  mkdirSync(join(root, 'secret'));
  writeFileSync(join(root, 'data', 'a'), 'contents of a');
  writeFileSync(join(root, 'secret', 'key'), 'the key');
  symlinkSync('../secret/key', join(root, 'data', 'link'));
  symlinkSync('../secret', join(root, 'data', 'dir'));
  symlinkSync('../secret/new', join(root, 'data', 'dangling'));
});
afterEach(async () => {
  for (const one of sessions.splice(0)) await one.stop();
  rmSync(root, { recursive: true });
});

const at = (...parts: readonly string[]) => join(root, ...parts);
const extended = (name: string, ...fields: readonly Buffer[]) =>
  session.send(PACKET.extended, string(name), ...fields);

describe('a session of SFTP', () => {
  it.each([
    ['data/a', 'data/a'],
    ['./data/./sub/../a', 'data/a'],
    ['data//a', 'data/a'],
    ['data/link', 'secret/key'],
    ['data/dir/key', 'secret/key'],
    ['data/sub/../dir/../secret/key', 'secret/key'],
  ])('opens %s as what it is: %s', async (asked, real) => {
    await started();
    await session.open(asked, READ);
    expect(session.asked).toEqual([[`sftp.get ${at(real)}`]]);
    expect(session.sent.at(-1)!.includes(at(real))).toBe(true);
  });

  it('opens what was asked for, though the name leads elsewhere meanwhile', async () => {
    await started(() => {
      rmSync(at('data/link'));
      symlinkSync(at('data/a'), at('data/link'));
      return true;
    });
    const handle = await session.open('data/link', READ);
    const answer = await session.send(PACKET.read, string(handle), uint64(0n), uint32(100));
    expect(answer.subarray(13).toString()).toBe('the key');
  });

  it.each([
    ['nothing', 0, 'get'],
    ['creating', CREATE, 'get put'],
    ['appending', APPEND, 'get put'],
    ['truncating', TRUNCATE, 'get put'],
    ['creating and appending', CREATE | APPEND, 'get put'],
    ['writing', WRITE, 'put'],
    ['writing and appending', WRITE | APPEND, 'put'],
  ])('opened for %s alone, a file is asked for as the host opens it', async (_, flags, verbs) => {
    await started();
    const handle = await session.open('data/a', flags);
    expect(session.asked).toEqual([verbs.split(' ').map((verb) => `sftp.${verb} ${at('data/a')}`)]);
    const answer = await session.send(PACKET.read, string(handle), uint64(0n), uint32(100));
    expect(answer[4] === PACKET.data || (flags & TRUNCATE) !== 0).toBe(verbs.includes('get'));
  });

  it.each([
    ['0644', 0o644, ['sftp.put']],
    ['set user', 0o4755, ['sftp.put', 'sftp.setstat']],
    ['set group', 0o2755, ['sftp.put', 'sftp.setstat']],
  ])('a file that is made with the mode %s asks for that', async (_, mode, verbs) => {
    await started();
    const attributes = Buffer.concat([
      uint32(0x0f),
      uint64(0n),
      uint32(0),
      uint32(0),
      uint32(mode),
      uint32(0),
      uint32(0),
    ]);
    await session.send(PACKET.open, string('data/new'), uint32(WRITE | CREATE), attributes);
    expect(session.asked).toEqual([verbs.map((verb) => `${verb} ${at('data/new')}`)]);
    expect(lstatSync(at('data/new')).mode & 0o7000).toBe(mode & 0o7000);
  });

  it('asks with the words of what is done', async () => {
    await started();
    const handle = await session.open('data/a', READ | WRITE);
    await session.open('data/dangling', WRITE | CREATE | TRUNCATE);
    await session.send(PACKET.fsetstat, string(handle), NO_ATTRIBUTES);
    await session.send(PACKET.setstat, string('data/link'), uint32(1), uint64(0n));
    await session.send(PACKET.stat, string('data/link'));
    await session.send(PACKET.lstat, string('data/link'));
    await session.send(PACKET.lstat, string('data/dir/'));
    await session.send(PACKET.lstat, string('data/dir/..'));
    await session.send(PACKET.readlink, string('data/link'));
    await session.send(PACKET.opendir, string('data/dir'));
    await session.send(PACKET.mkdir, string('data/new'), NO_ATTRIBUTES);
    await session.send(PACKET.rmdir, string('data/new'));
    await session.send(PACKET.rename, string('data/a'), string('data/dir/b'));
    await session.send(PACKET.remove, string('data/link'));
    await session.send(PACKET.symlink, string('../secret/key'), string('data/again'));
    await extended('posix-rename@openssh.com', string('secret/b'), string('data/c'));
    await extended('hardlink@openssh.com', string('data/dir/key'), string('data/hard'));
    await extended('statvfs@openssh.com', string('data/dir'));
    await extended('lsetstat@openssh.com', string('data/again'), NO_ATTRIBUTES);
    expect(session.asked).toEqual([
      [`sftp.get ${at('data/a')}`, `sftp.put ${at('data/a')}`],
      [`sftp.put ${at('secret/new')}`],
      [`sftp.setstat ${at('data/a')}`],
      [`sftp.setstat ${at('secret/key')}`, `sftp.put ${at('secret/key')}`],
      [`sftp.stat ${at('secret/key')}`],
      [`sftp.stat ${at('data/link')}`],
      [`sftp.stat ${at('secret')}`],
      [`sftp.stat ${root}`],
      [`sftp.stat ${at('data/link')}`],
      [`sftp.list ${at('secret')}`],
      [`sftp.mkdir ${at('data/new')}`],
      [`sftp.rmdir ${at('data/new')}`],
      [`sftp.rename ${at('data/a')}`, `sftp.rename ${at('secret/b')}`],
      [`sftp.remove ${at('data/link')}`],
      [`sftp.link ${at('secret/key')}`, `sftp.link ${at('data/again')}`],
      [`sftp.rename ${at('secret/b')}`, `sftp.rename ${at('data/c')}`],
      [`sftp.link ${at('secret/key')}`, `sftp.link ${at('data/hard')}`],
      [`sftp.stat ${at('secret')}`],
      [`sftp.setstat ${at('data/again')}`],
    ]);
    expect(readlinkSync(at('data/again'))).toBe('../secret/key');
    expect(existsSync(at('data/hard')) && existsSync(at('data/c'))).toBe(true);
    expect(session.failure).toBeUndefined();
  });

  it('sends nothing on of what is denied, and says so', async () => {
    await started(() => false);
    const made = [
      session.send(PACKET.open, string('data/a'), uint32(WRITE | TRUNCATE), NO_ATTRIBUTES),
      session.send(PACKET.remove, string('data/a')),
      session.send(PACKET.mkdir, string('data/n'), NO_ATTRIBUTES),
      session.send(PACKET.symlink, string('a'), string('data/s')),
    ];
    for (const answer of await Promise.all(made))
      expect(said(answer)).toBe(
        '3 hoop: ERR_DENIED: not that {"rule":"r","reason":"why","hint":"else","next":"instead","retryable":false}',
      );
    expect(readFileSync(at('data/a'), 'utf8')).toBe('contents of a');
    expect([existsSync(at('data/n')), existsSync(at('data/s'))]).toEqual([false, false]);
    // What the target was sent is `init`, and questions where paths lead.
    expect(new Set(session.sent.slice(1).map((packet) => packet[4]))).toEqual(new Set([PACKET.realpath]));
  });

  it('refuses what names no path', async () => {
    await started();
    for (const path of [Buffer.from('a\0b'), Buffer.from([0x2f, 0xff, 0x62]), Buffer.alloc(5000, 'x')])
      expect(said(await session.send(PACKET.remove, string(path)))).toMatch(/^3 hoop: /);
    expect(session.asked).toEqual([[], [], []]);
    expect(session.sent).toHaveLength(1);
  });

  it('keeps the order of requests that come at once, also behind one that waits', async () => {
    let yes: (answer: boolean) => void = () => undefined;
    await started(([first]) =>
      first?.startsWith('sftp.rename') ? new Promise((resolve) => (yes = resolve)) : true,
    );
    const renamed = session.send(PACKET.rename, string('data/a'), string('data/b'));
    const stat = session.send(PACKET.stat, string('data/b'));
    const opened = session.open('data/b', READ);
    await expect.poll(() => session.asked.length).toBe(1);
    expect([existsSync(at('data/a')), session.observer.waitingBytes > 0]).toEqual([true, true]);
    yes(true);
    expect(said(await renamed)).toMatch(/^0 /);
    expect((await stat)[4]).toBe(PACKET.attrs);
    await opened;
    expect(session.observer.waitingBytes).toBe(0);
  });

  it('tells what was copied, with its hash', async () => {
    await started();
    const data = Buffer.alloc(100_000, 'abc');
    const hash = createHash('sha256').update(data).digest('hex');
    const put = await session.open('data/big', WRITE | CREATE);
    for (let from = 0; from < data.length; from += 30_000)
      void session.send(
        PACKET.write,
        string(put),
        uint64(BigInt(from)),
        string(data.subarray(from, from + 30_000)),
      );
    await session.send(PACKET.close, string(put));
    const get = await session.open('data/big', READ);
    for (let from = 0; from < data.length; from += 30_000)
      void session.send(PACKET.read, string(get), uint64(BigInt(from)), uint32(30_000));
    await session.send(PACKET.close, string(get));
    const part = await session.open('data/big', READ);
    await session.send(PACKET.read, string(part), uint64(99_999n), uint32(10));
    await session.send(PACKET.read, string(part), uint64(5n), uint32(1));
    await session.send(PACKET.close, string(part));
    expect(session.notes.filter((note) => note !== 'SSH_FX_OK')).toEqual([
      `wrote 100000 octets, sha256 ${hash}`,
      `read 100000 octets, sha256 ${hash}`,
      'read 2 octets from octet 99999, not in order',
    ]);
    expect(session.outcomes.map(({ outcome, bytes }) => [outcome, bytes])).toEqual([
      ['success', 100_000],
      ['success', 100_000],
      ['success', 2],
    ]);
    expect(readFileSync(at('data/big')).equals(data)).toBe(true);
  });

  it('tells how the target failed', async () => {
    await started();
    expect(said(await session.send(PACKET.rmdir, string('data')))).toMatch(/^4 /);
    expect(said(await session.send(PACKET.stat, string('data/none')))).toMatch(/^2 /);
    expect(said(await session.send(PACKET.stat, string('none/none')))).toMatch(/^2 /);
    expect(session.outcomes.map(({ outcome, status }) => `${outcome} ${status}`)).toEqual([
      'failure SSH_FX_FAILURE',
      'failure SSH_FX_NO_SUCH_FILE',
    ]);
  });

  it('closes what is open when its channel ends', async () => {
    await started();
    const handle = await session.open('data/a', READ);
    await session.send(PACKET.read, string(handle), uint64(0n), uint32(100));
    session.observer.end();
    expect(session.notes[0]).toMatch(/^read 13 octets, sha256 /);
    expect(session.outcomes).toHaveLength(1);
  });

  it('carries no request that it does not know, and goes on', async () => {
    await started();
    expect(said(await session.send(150, string('x')))).toMatch(/^8 /);
    expect(said(await session.send(PACKET.status, uint32(0)))).toMatch(/^8 /);
    expect(said(await extended('copy-file', string('data/a'), string('data/b')))).toMatch(/^8 /);
    expect(said(await extended('posix-rename@openssh.com\0', string('a'), string('b')))).toMatch(/^8 /);
    expect(said(await session.send(PACKET.remove, uint32(50)))).toMatch(/^5 /);
    expect(said(await session.send(PACKET.write, string('x'), uint64(0n), uint32(9)))).toMatch(/^5 /);
    expect(said(await session.send(PACKET.read, string('none'), uint64(0n), uint32(9)))).toMatch(/^4 /);
    expect((await session.send(PACKET.realpath, string('.')))[4]).toBe(PACKET.name);
    expect((await extended('limits@openssh.com'))[4]).toBe(PACKET.extendedReply);
    expect(session.asked).toEqual([]);
  });

  it('is told of no extension that is not carried', async () => {
    await started();
    const [version] = session.answers;
    expect(version!.toString('latin1')).toContain('posix-rename@openssh.com');
    const names = version!.toString('latin1').match(/[a-z-]+@openssh\.com|copy-data|home-directory/g) ?? [];
    expect(names).not.toContain('unknown@openssh.com');
    expect(names.length).toBeGreaterThan(5);
  });

  it('copies between files that are open, and no others', async () => {
    await started();
    const [from, to] = [await session.open('data/a', READ), await session.open('data/copy', WRITE | CREATE)];
    const copy = (one: Buffer, other: Buffer) =>
      extended('copy-data', string(one), uint64(0n), uint64(0n), string(other), uint64(0n));
    expect(said(await copy(from, Buffer.from('none')))).toMatch(/^4 nothing/);
    expect(said(await copy(from, to))).toMatch(/^0 /);
    expect(readFileSync(at('data/copy'), 'utf8')).toBe('contents of a');
    expect(lstatSync(at('data/copy')).isFile()).toBe(true);
  });
});

describe('what is no SFTP ends the session', () => {
  it.each([
    ['a packet without an end', () => Buffer.from('ffffffff03', 'hex'), 'ERR_MESSAGE_LENGTH'],
    ['a packet without an id', () => Buffer.from('0000000103', 'hex'), 'ERR_MESSAGE_LENGTH'],
    [
      'the same id twice',
      () => Buffer.concat([packet(PACKET.realpath, 7, string('.')), packet(PACKET.realpath, 7, string('.'))]),
      'ERR_PROTOCOL',
    ],
  ])('%s', async (_, octets, code) => {
    await started();
    session.raw(octets());
    expect(session.failure?.code).toBe(code);
  });

  it('a request before init', () => {
    session = new SftpSession(root, () => true);
    sessions.push(session);
    session.raw(packet(PACKET.remove, 0, string('data/a')));
    expect([session.failure?.code, existsSync(at('data/a'))]).toEqual(['ERR_PROTOCOL', true]);
  });

  it('any split of the same octets is the same', async () => {
    const octets = Buffer.concat([
      packet(PACKET.mkdir, 1, string('data/one'), NO_ATTRIBUTES),
      packet(PACKET.rename, 2, string('data/one'), string('data/two')),
      packet(PACKET.rmdir, 3, string('data/two')),
    ]);
    await started();
    for (let cut = 1; cut < octets.length; cut += 7) {
      session.answers.length = 0;
      for (let from = 0; from < octets.length; from += cut) session.raw(octets.subarray(from, from + cut));
      await expect.poll(() => session.answers.length, { interval: 1 }).toBe(3);
      expect(session.answers.map(said)).toEqual(['0 Success', '0 Success', '0 Success']);
    }
  });
});
