/** States of the terminal UI for tests, and what is typed at one. */
import type { ApprovalItem } from '../../../src/api/approvals.ts';
import type { AuditEventItem, ResourceItem, SessionItem } from '../../../src/api/contract.ts';
import {
  type Effect,
  firstState,
  type Size,
  type UiEvent,
  type UiState,
} from '../../../src/cli/ui/state/model.ts';
import { update } from '../../../src/cli/ui/state/update.ts';
import { frameOf } from '../../../src/cli/ui/view/frame.ts';
import type { Charset } from '../../../src/core/terminal/charset.ts';

export const NOW = Date.parse('2026-11-30T12:00:00.000Z');

export const resource = (name: string, more: Partial<ResourceItem> = {}): ResourceItem => ({
  name,
  protocol: 'echo',
  connect: { protocol: 'echo' },
  access: 'allow',
  masks: false,
  ...more,
});

export const event = (id: string, more: Record<string, unknown> = {}): AuditEventItem => ({
  schemaVersion: 2,
  id,
  at: new Date(NOW - 1000).toISOString(),
  type: 'operation.decided',
  actor: { kind: 'agent', name: 'copilot', person: 'ada' },
  resource: 'shop',
  decision: 'allow',
  text: `what ${id} asked`,
  ...more,
});

export const session = (id: string, more: Partial<SessionItem> = {}): SessionItem => ({
  id,
  resource: 'shop',
  protocol: 'echo',
  actor: 'copilot',
  person: 'ada',
  instance: 'ins_1',
  startedAt: new Date(NOW - 60_000).toISOString(),
  operations: 3,
  denied: 1,
  ...more,
});

export const request = (id: string, more: Partial<ApprovalItem> = {}): ApprovalItem => ({
  schemaVersion: 1,
  id,
  status: 'pending',
  next_action: 'none',
  at: new Date(NOW - 5_000).toISOString(),
  expiresAt: new Date(NOW + 3_600_000).toISOString(),
  needs: [{ name: 'dba', count: 1, given: 0 }],
  mine: ['dba'],
  session: 'ses_1',
  resource: 'shop',
  protocol: 'echo',
  actor: 'copilot',
  person: 'ada',
  issuer: 'https://issuer.test',
  instance: 'ins_1',
  attested: {},
  declared: {},
  rules: [{ id: 'reviewed' }],
  text: 'drop it',
  actions: ['echo.drop'],
  objects: ['shop/it'],
  policyVersion: 'v1',
  binding: 'b1',
  votes: [],
  ...more,
});

/** A terminal UI without a terminal: events in, state and effects out. */
export class Bench {
  state: UiState;
  /** Everything that was wanted, the newest last. */
  readonly effects: Effect[] = [];
  nowMs = NOW;

  constructor(size: Size = { columns: 80, rows: 24 }, charset: Charset = 'utf-8') {
    this.state = firstState(size, NOW, charset);
  }

  /** One that is connected, with nothing loaded yet. */
  static online(size?: Size, charset?: Charset): Bench {
    const bench = new Bench(size, charset);
    const me = { gateway: 'https://gw.test', name: 'ada', deadline: '2026-11-30T20:00:00.000Z' };
    bench.tell({ type: 'connected', me });
    return bench;
  }

  tell(event: UiEvent): void {
    const { state, effects } = update(this.state, event, this.nowMs);
    this.state = state;
    this.effects.push(...effects);
  }

  /** Presses keys by their names, letters by themselves. */
  press(...keys: readonly string[]): void {
    for (const key of keys) this.tell({ type: 'key', key, many: false });
  }

  type(text: string): void {
    this.press(...text);
  }

  passes(ms: number): void {
    this.nowMs += ms;
    this.tell({ type: 'tick' });
  }

  /** Answers what was asked last for a screen. */
  loaded<K extends keyof Lists>(
    screen: K,
    items: Lists[K],
    more: { next?: string; older?: boolean; cursor?: string } = {},
  ): void {
    const { asked } = this.state.loads[screen];
    this.tell({ type: 'loaded', screen, asked, items, ...more } as UiEvent);
  }

  /** What was wanted since it was asked last. */
  wanted(): readonly Effect[] {
    return this.effects.splice(0);
  }

  /** The screen as text, blanks at the ends of lines left out. */
  screen(): string {
    return frameOf(this.state)
      .map((line) =>
        line
          .map(({ text }) => text)
          .join('')
          .trimEnd(),
      )
      .join('\n');
  }
}

interface Lists {
  readonly resources: readonly ResourceItem[];
  readonly feed: readonly AuditEventItem[];
  readonly approvals: readonly ApprovalItem[];
  readonly sessions: readonly SessionItem[];
}
