/** Paths that lead elsewhere between a question and what it was asked for, with OpenSSH's own server. */
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PACKET } from '../../../src/protocols/ssh/sftp/packets.ts';
import { Turns } from '../../../src/protocols/ssh/sftp/turns.ts';
import { string, uint32, uint64 } from '../../../src/wire/ssh/fields.ts';
import { type Decide, READ, SftpSession } from '../../support/ssh/sftp-session.ts';
import { eventually } from '../../support/waiting.ts';

let root = '';
const sessions: SftpSession[] = [];

async function started(decide: Decide, turns?: Turns): Promise<SftpSession> {
  const session = await new SftpSession(root, decide, turns).greeted();
  sessions.push(session);
  return session;
}

const at = (...parts: readonly string[]) => join(root, ...parts);

beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'hoop-turns-')));
  for (const name of ['data/sub', 'secret']) mkdirSync(at(name), { recursive: true });
  writeFileSync(at('data/sub/key'), 'a copy');
  writeFileSync(at('secret/key'), 'the key');
  symlinkSync(at('secret'), at('data/other'));
});

afterEach(async () => {
  for (const one of sessions.splice(0)) await one.stop();
  rmSync(root, { recursive: true });
});

/** Where a policy lets people work. */
const inData: Decide = (asked) => asked.every((one) => one.includes(` ${at('data')}/`));

async function contentsOf(session: SftpSession, handle: Buffer): Promise<string> {
  const answer = await session.send(PACKET.read, string(handle), uint64(0n), uint32(100));
  await session.send(PACKET.close, string(handle));
  return answer.subarray(13).toString();
}

/** One session puts a link where a directory was, and back, again and again; another one opens what is in it. */
async function raced(opener: SftpSession, mover: SftpSession, tries: number): Promise<string[]> {
  const rename = (from: string, to: string) => mover.send(PACKET.rename, string(from), string(to));
  const moved = async () => {
    await Promise.all([rename('data/sub', 'data/kept'), rename('data/other', 'data/sub')]);
    await Promise.all([rename('data/sub', 'data/other'), rename('data/kept', 'data/sub')]);
  };
  const seen: string[] = [];
  for (let n = 0; n < tries && !seen.includes('the key'); n++) {
    const opened = opener.open('data/sub/key', READ).then((handle) => contentsOf(opener, handle));
    const [contents] = await Promise.all([opened.catch(() => 'nothing'), moved(), moved()]);
    seen.push(contents);
  }
  return seen;
}

describe('a client that races itself by two sessions', () => {
  it('gets at what it may not see where nobody takes turns', async () => {
    const mover = await started(() => true);
    const rename = (from: string, to: string) => mover.send(PACKET.rename, string(from), string(to));
    // Between what it is asked for and what is opened, which two that race each other hit now and then.
    const opener = await started(async (asked, ask) => {
      await rename('data/sub', 'data/kept');
      await rename('data/other', 'data/sub');
      return inData(asked, ask);
    });
    expect(await contentsOf(opener, await opener.open('data/sub/key', READ))).toBe('the key');
  });

  it('does not where its sessions take turns', async () => {
    const turns = new Turns();
    const seen = await raced(await started(inData, turns), await started(() => true, turns), 600);
    expect(seen).not.toContain('the key');
    expect(seen).toContain('a copy');
  });
});

describe('what waited for people', () => {
  const held = (meanwhile: () => void): Decide => {
    let first = true;
    return async (asked, _ask, waits) => {
      if (!first) return inData(asked, _ask);
      first = false;
      waits?.();
      meanwhile();
      return true;
    };
  };

  it('is opened where its path leads to what it was', async () => {
    const session = await started(held(() => undefined));
    expect(await contentsOf(session, await session.open('data/sub/key', READ))).toBe('a copy');
    expect(session.asked).toHaveLength(1);
  });

  it('is asked for again where its path leads elsewhere by then', async () => {
    const session = await started(
      held(() => {
        renameSync(at('data/sub'), at('data/kept'));
        symlinkSync(at('secret'), at('data/sub'));
      }),
    );
    await expect(session.open('data/sub/key', READ)).rejects.toThrow('3 hoop: ERR_DENIED');
    expect(session.asked).toEqual([[`sftp.get ${at('data/sub/key')}`], [`sftp.get ${at('secret/key')}`]]);
    expect(session.outcomes).toMatchObject([
      { outcome: 'failure', reason: 'the path leads elsewhere than when it was asked for' },
    ]);
    expect(readFileSync(at('secret/key'), 'utf8')).toBe('the key');
  });

  it('is told that there is no such file where its directory is gone', async () => {
    const session = await started(held(() => rmSync(at('data'), { recursive: true })));
    await expect(session.open('data/sub/key', READ)).rejects.toThrow('2 ');
    expect(session.outcomes).toMatchObject([
      { outcome: 'failure', reason: 'the path leads nowhere any more' },
    ]);
  });

  it('keeps no other session waiting meanwhile', async () => {
    const turns = new Turns();
    const { promise: said, resolve: say } = Promise.withResolvers<boolean>();
    const holding = await started((_asked, _ask, waits) => {
      waits?.();
      return said;
    }, turns);
    const other = await started(() => true, turns);
    const opened = holding.open('data/sub/key', READ);
    await eventually('it is asked for', () => holding.asked.length === 1);
    await other.send(PACKET.rename, string('data/sub'), string('data/away'));
    say(true);
    await expect(opened).rejects.toThrow('2 ');
  });
});

describe('turns', () => {
  it('are for many who follow paths, and for one alone who changes them, as they come', async () => {
    const turns = new Turns();
    const order: string[] = [];
    const take = async (name: string, alone: boolean) => {
      const turn = await turns.take('one', alone);
      order.push(name);
      return turn;
    };
    const [first, second] = await Promise.all([take('a', false), take('b', false)]);
    const third = take('c', true);
    const fourth = take('d', false);
    // Of somebody else.
    (await turns.take('two', true))();
    expect(order).toEqual(['a', 'b']);
    first();
    first();
    await Promise.resolve();
    expect(order).toEqual(['a', 'b']);
    second();
    const alone = await third;
    expect(order).toEqual(['a', 'b', 'c']);
    alone();
    (await fourth)();
    expect(order).toEqual(['a', 'b', 'c', 'd']);
  });
});
