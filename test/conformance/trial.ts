/**
 * What the adapters' suite is given for one protocol, and what it stands on: hoopd with that protocol's resource `it`, an agent,
 * an auditor and an operator, and the evidence as it lies on the disk.
 */
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { vi } from 'vitest';
import { PATHS, TOKEN_TYPES } from '../../src/api/contract.ts';
import type { Approval } from '../../src/approval/model.ts';
import type { AuditEvent } from '../../src/audit/event.ts';
import type { Log, LogFields } from '../../src/core/log.ts';
import type { Protocol } from '../../src/protocols/protocol.ts';
import { openRecordingStore } from '../../src/recording/file-store.ts';
import type { RecordedItem } from '../../src/recording/items.ts';
import { listChains } from '../../src/storage/chain-files.ts';
import { SegmentFile } from '../../src/storage/segment-file.ts';
import { chainBytes } from '../support/audit.ts';
import { type Caller, RunningGateway } from '../support/running-gateway.ts';
import { eventually } from '../support/waiting.ts';
import { person } from '../unit/policy/support.ts';

/** What one protocol's clients say in the trials, in the words of that protocol. */
export interface Words {
  /** The verb that `allowed` asks for. */
  readonly verb: string;
  /** Permitted and answered; asked again it takes the same octets. */
  readonly allowed: { readonly say: string; readonly answer: string };
  /** Permitted, and not answered before the session ends. */
  readonly slow: string;
  /** Denied by the policy's rule `no`. */
  readonly denied: string;
  /** Held by the policy's rule `ask-first`, which wants the approval `boss`. */
  readonly held: string;
  /** Held as well: the same action on the same object, and something else. */
  readonly alike: string;
  /** What the adapter cannot read with certainty, and the rule under which it refuses. */
  readonly unread: { readonly say: string; readonly rule: string };
  /** Its answer holds `secret` at the target, and what is `shown` beside it. */
  readonly masked: { readonly say: string; readonly secret: string; readonly shown: string };
  /** Octets with which a session cannot go on. */
  readonly malformed: Buffer;
}

export interface Answer {
  readonly refused: boolean;
  /** All that the client makes of it: values, or code, message and hint of a refusal. */
  readonly text: string;
}

/** A client that is logged in. */
export interface AdapterClient {
  ask(say: string): Promise<Answer>;
  /** What it was told while it waited for an answer, oldest first. */
  readonly told: readonly string[];
  /** Says goodbye as the protocol does. */
  close(): Promise<void>;
  /** What it made of all that it was sent, where that is not to be read on the wire. */
  received?(): Buffer;
  /** Resolves when the stream has ended, with the last thing the client was told. */
  readonly ended: Promise<string>;
}

export interface AdapterTarget {
  /** YAML of the resource, on one line; its password is in the file `password`: hunter2. */
  readonly resource: string;
  /** What hoopd has sent on behalf of its clients; what it says on its own account does not count. */
  readonly heard: Heard;
  stop(): Promise<void>;
}

export interface Heard {
  /** Made for clients' streams so far. */
  readonly connections: number;
  /** That have come in on the newest of them. */
  readonly octets: number;
}

/** One adapter, to be tried. */
export interface AdapterHarness {
  readonly protocol: string;
  readonly session: 'connection' | 'tunnel';
  /** Where the protocol is none of hoopd's own. */
  readonly protocols?: readonly Protocol[];
  /** Cedar for everybody, `connect` and what `words` says of each; a mask is a line of its own. */
  readonly policy: string;
  readonly words: Words;
  startTarget(): Promise<AdapterTarget>;
  connect(stream: TLSSocket): Promise<AdapterClient>;
}

const PEOPLE = `
@id("strangers") forbid (principal in Group::"strangers", action == Action::"connect", resource);
@id("auditors") permit (principal in Group::"auditors", action in [Action::"audit.search", Action::"session.list", Action::"recording.view"], resource);
@id("operators") permit (principal in Group::"operators", action in [Action::"session.kill", Action::"session.list"], resource);
`;

/** An agent's session, with everything that came over the wire. */
export interface OpenSession {
  readonly id: string;
  readonly client: AdapterClient;
  readonly socket: TLSSocket;
  /** Every octet that the client was sent behind the answer 101, or what it made of them. */
  received(): Buffer;
}

export class Trial {
  readonly running: RunningGateway;
  readonly target: AdapterTarget;
  readonly agent: Caller;
  readonly operator: Caller;
  readonly auditor: Caller;
  /** Everything that hoopd has logged. */
  readonly log: string[];
  /** Who says yes. */
  readonly boss = { ...person('boss', ['bosses']), subject: 'boss' };
  readonly #harness: AdapterHarness;
  readonly #sockets: TLSSocket[] = [];

  private constructor(
    parts: Pick<Trial, 'running' | 'target' | 'agent' | 'operator' | 'auditor' | 'log'>,
    harness: AdapterHarness,
  ) {
    this.running = parts.running;
    this.target = parts.target;
    this.agent = parts.agent;
    this.operator = parts.operator;
    this.auditor = parts.auditor;
    this.log = parts.log;
    this.#harness = harness;
  }

  static async start(harness: AdapterHarness): Promise<Trial> {
    const target = await harness.startTarget();
    const log: string[] = [];
    const running = await RunningGateway.start({
      policy: harness.policy + PEOPLE,
      resources: `\n  it: ${target.resource}`,
      adapter: null,
      more: 'approvals: { wait: 2s }',
      deps: { log: collecting(log) },
      ...(harness.protocols === undefined ? {} : { protocols: harness.protocols }),
    });
    const agent = await running.person(['developers'], { agent: 'copilot' });
    const operator = await running.person(['operators'], { name: 'olga' });
    const auditor = await running.person(['auditors'], { name: 'ada' });
    return new Trial({ running, target, agent, operator, auditor, log }, harness);
  }

  async stop(): Promise<void> {
    await this.running.remove();
    await this.target.stop();
  }

  async open(caller = this.agent, headers: Readonly<Record<string, string>> = {}): Promise<OpenSession> {
    const tunnel = await caller.tunnel('it', { headers });
    const id = /hoop-session: (ses_[0-9A-Z]{26})/.exec(tunnel.head)?.[1];
    if (id === undefined) throw new Error(`no session: ${tunnel.head}${await tunnel.until()}`);
    const chunks: Buffer[] = [];
    tunnel.socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    this.#sockets.push(tunnel.socket);
    const client = await this.#harness.connect(tunnel.socket);
    return {
      id,
      client,
      socket: tunnel.socket,
      received: () => client.received?.() ?? Buffer.concat(chunks),
    };
  }

  /** Cuts every stream that is still open. */
  leave(): void {
    for (const socket of this.#sockets.splice(0)) socket.destroy();
  }

  /** Narrows a caller to what these words name. */
  async narrowed(only: string): Promise<Caller> {
    const caller = await this.running.person(['developers'], { agent: 'copilot' });
    const answer = await caller.exchange({
      subject_token: caller.issued.access_token,
      subject_token_type: TOKEN_TYPES.accessToken,
      only,
    });
    if (answer.status !== 200) throw new Error(`not narrowed: ${answer.text}`);
    caller.issued = answer.json;
    return caller;
  }

  /** Puts other rules for the agent in force. */
  async policy(text: string): Promise<void> {
    this.running.write('policies/test.cedar', text + PEOPLE);
    if (!(await this.running.gateway.reload(this.running.load())))
      throw new Error('the policy was not taken');
  }

  /** Every audit event as it is stored, oldest first. */
  async events(session?: string): Promise<AuditEvent[]> {
    const dir = join(this.running.dir, 'state', 'audit');
    const texts = await Promise.all(listChains(dir).map(({ fileId }) => chainBytes(dir, fileId)));
    const lines = Buffer.concat(texts).toString().split('\n').filter(Boolean);
    const events = lines.flatMap((line) => (JSON.parse(line) as { event?: AuditEvent }).event ?? []);
    return session === undefined ? events : events.filter((event) => event.session === session);
  }

  /** What was decided in a session, after its `connect`. */
  async decided(session: string): Promise<AuditEvent[]> {
    const events = await this.events(session);
    return events.filter(({ type, actions }) => type === 'operation.decided' && actions?.[0] !== 'connect');
  }

  /** The outcomes of what was decided in a session, after its `connect`. */
  async outcomes(session: string): Promise<AuditEvent[]> {
    const operations = new Set((await this.decided(session)).map(({ operation }) => operation));
    const events = await this.events(session);
    return events.filter(({ type, operation }) => type === 'operation.closed' && operations.has(operation));
  }

  /** The event of a session's end, once it is stored. */
  end(session: string): Promise<AuditEvent> {
    return vi.waitFor(
      async () => {
        const found = (await this.events(session)).find(({ type }) => type === 'session.ended');
        if (found === undefined) throw new Error(`${session} has not ended`);
        return found;
      },
      { timeout: 10_000 },
    );
  }

  /** What a session's recording holds, decompressed. */
  async recording(
    session: string,
  ): Promise<{ readonly items: RecordedItem[]; readonly shown: readonly Buffer[] }> {
    const store = openRecordingStore(join(this.running.dir, 'recordings'), { now: Date.now });
    const items: RecordedItem[] = [];
    for await (const item of (await store.read(session))!) items.push(item);
    const whole = items.flatMap((item) => (item.kind === 'response' ? [item.bytes] : []));
    const bodies = items.flatMap((item) =>
      item.kind === 'body' && item.side === 'response' ? [item.bytes] : [],
    );
    const piped = items.flatMap((item) =>
      item.kind === 'output' || item.kind === 'stderr' ? [item.bytes] : [],
    );
    return { items, shown: whole.length > 0 ? [Buffer.concat(whole)] : [...bodies, ...piped] };
  }

  async kill(session: string): Promise<void> {
    const { status } = await this.operator.call('DELETE', `${PATHS.sessions}/${session}`);
    if (status !== 200) throw new Error(`not killed: ${status}`);
  }

  /** The request for approval that a session waits for, once there is one: its own, or what an earlier one left a ticket for. */
  async asked(session: string): Promise<Approval> {
    const { approvals } = this.running.gateway;
    const ofSession = () => {
      const pending = approvals.list().filter(({ state }) => state === 'pending');
      return pending.find((one) => one.session === session) ?? pending[0];
    };
    return (await eventually('a request for approval', ofSession))!;
  }

  /** The boss says yes. */
  async approve(approval: string): Promise<void> {
    await this.running.gateway.approvals.approve(approval, this.boss, ['boss']);
  }

  /** Revokes all that an instance may do. */
  async revoke(instance: string): Promise<void> {
    const { status } = await this.operator.call('POST', PATHS.revocations, { json: { instance } });
    if (status !== 200) throw new Error(`not revoked: ${status}`);
  }
}

/** The disk under the audit is full until the returned function is called. */
export function breakAudit(): () => void {
  const full = vi.spyOn(SegmentFile.prototype, 'write').mockImplementation(() => {
    throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
  });
  return () => full.mockRestore();
}

/** The disk under the recordings is full until the returned function is called. */
export async function breakRecordings(): Promise<() => void> {
  const some = await open('/dev/null');
  const handles = Object.getPrototypeOf(some) as typeof some;
  await some.close();
  const full = vi.spyOn(handles, 'writev').mockImplementation(async () => {
    throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
  });
  return () => full.mockRestore();
}

function collecting(lines: string[], fields: LogFields = {}): Log {
  const add = (message: string, more?: LogFields) =>
    void lines.push(JSON.stringify({ message, ...fields, ...more }));
  return {
    debug: add,
    info: add,
    warn: add,
    error: add,
    child: (more) => collecting(lines, { ...fields, ...more }),
  };
}
