/** A session that is watched while it lives: what comes is sent as it is recorded, to those who may look, for as long as they may. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PATHS } from '../../../src/api/contract.ts';
import type { ReplayFrame } from '../../../src/api/replay.ts';
import { type Answer, type Caller, RunningGateway, type Tunnel } from '../../support/running-gateway.ts';
import { eventually } from '../../support/waiting.ts';

const LOOK =
  '@id("look") permit (principal is Person, action in [Action::"recording.view", Action::"audit.search"], resource);';
const REST = '@id("use") permit (principal, action == Action::"connect", resource);';

let running: RunningGateway;
let agent: Caller;
let auditor: Caller;

beforeAll(async () => {
  running = await RunningGateway.start({ policy: `${LOOK}\n${REST}` });
  agent = await running.person(['developers'], { agent: 'copilot' });
  auditor = await running.person(['auditors'], { name: 'ada' });
});

afterAll(() => running.remove());

/** PostgreSQL's CommandComplete: what is echoed of it is recorded as that. */
function complete(tag: string): Buffer {
  const body = Buffer.from(`${tag}\0`);
  const head = Buffer.from('C\0\0\0\0', 'latin1');
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}

class Session {
  readonly tunnel: Tunnel;
  readonly id: string;

  constructor(tunnel: Tunnel) {
    this.tunnel = tunnel;
    this.id = /hoop-session: (\S+)/.exec(tunnel.head)![1]!;
  }

  static async open(): Promise<Session> {
    const session = new Session(await agent.tunnel('echo'));
    await session.shows('FIRST');
    return session;
  }

  async shows(tag: string): Promise<void> {
    this.tunnel.socket.write(complete(tag));
    await this.tunnel.until(tag);
  }

  replay(caller: Caller, query = ''): Promise<Answer> {
    return caller.get(`${PATHS.sessions}/${this.id}/recording${query}`);
  }

  /** Watches it. @returns Once that is on record. */
  async watchedBy(caller: Caller): Promise<{ readonly answer: Promise<Answer> }> {
    const answer = this.replay(caller, '?follow=true');
    await eventually(
      () => 'it is not on record that the session is watched',
      () => this.looks(),
      (looks) => looks.some(({ facts }) => facts?.follow === true),
    );
    return { answer };
  }

  async looks(): Promise<readonly { readonly facts?: { readonly follow?: boolean } }[]> {
    const query = `?type=recording.viewed&session=${this.id}`;
    return (await auditor.get(PATHS.auditEvents + query)).json.events;
  }
}

function tagsOf({ text }: Answer): readonly string[] {
  return framesOf(text).flatMap((frame) => (frame.kind === 'complete' ? [frame.tag] : []));
}

function framesOf(text: string): readonly ReplayFrame[] {
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
}

describe('a session that lives', () => {
  it('is watched to its end, and what is only replayed ends where the recording does', async () => {
    const session = await Session.open();
    const { answer } = await session.watchedBy(auditor);
    const sofar = await eventually(
      () => 'the first message is not recorded',
      () => session.replay(auditor),
      (replayed) => tagsOf(replayed).length > 0,
    );
    expect(framesOf(sofar.text).at(-1)).toMatchObject({
      kind: 'end',
      complete: false,
      reason: 'the session goes on',
    });
    await session.shows('SECOND');
    session.tunnel.socket.destroy();
    const watched = await answer;
    expect(tagsOf(watched)).toEqual(['FIRST', 'SECOND']);
    expect(framesOf(watched.text).at(-1)).toMatchObject({ kind: 'end', complete: true });
    // One that is over is what it is.
    expect(framesOf((await session.replay(auditor, '?follow=true')).text)).toEqual(framesOf(watched.text));
  });

  it('is watched by those who may view recordings, and by nobody else', async () => {
    const session = await Session.open();
    const other = await running.person(['developers'], { name: 'eve', agent: 'copilot' });
    expect((await session.replay(other, '?follow=true')).json.code).toBe('ERR_NO_ACCESS');
    expect(await session.looks()).toEqual([]);
    session.tunnel.socket.destroy();
  });

  it.each([
    [
      'their login is over',
      'nora',
      async (watcher: Caller) => void (await watcher.call('POST', PATHS.revokeSelf)),
      /revoked/,
    ],
    [
      'policy takes it from them',
      'olga',
      async () => {
        running.write('policies/test.cedar', REST);
        await reload();
      },
      /may not view/,
    ],
  ])('is watched no longer when %s', async (_, name, take, reason) => {
    running.write('policies/test.cedar', `${LOOK}\n${REST}`);
    await reload();
    const watcher = await running.person(['auditors'], { name });
    const session = await Session.open();
    const { answer } = await session.watchedBy(watcher);
    await take(watcher);
    const watched = await answer;
    await session.shows('SECOND');
    expect(tagsOf(watched)).not.toContain('SECOND');
    expect(framesOf(watched.text).at(-1)).toMatchObject({
      kind: 'end',
      complete: false,
      reason: expect.stringMatching(reason),
    });
    session.tunnel.socket.destroy();
  });
});

async function reload(): Promise<void> {
  const loaded = running.load();
  if (!loaded.ok) throw new Error('the configuration is not valid');
  await running.gateway.reload(loaded);
}
