/** What is known of the chosen item, line by line. Pure. */
import type { ApprovalItem } from '../../../api/approvals.ts';
import type { AuditEventItem, MayItem, ResourceItem, SessionItem } from '../../../api/contract.ts';
import type { Paper } from '../../../core/terminal/charset.ts';
import { drawn } from '../../../core/terminal/charset.ts';
import { attenuationText } from '../../attenuation.ts';
import { renderApproval } from '../../render/approval.ts';
import { mayItemLines } from '../../render/may.ts';
import { displayWidth } from '../../render/text.ts';
import { chosenOf } from '../state/list.ts';
import type { May, TunnelState, UiState } from '../state/model.ts';
import { decisionTone } from './columns.ts';
import { factLines, type Line, line, NOTHING, span, type Tone, wrapped } from './line.ts';

type Fact = readonly [string, string | number | undefined, Tone?];

/**
 * @param request One that is decided; absent: the chosen one of the screen.
 * @param width Columns; default: of the window.
 */
export function detailLines(
  state: UiState,
  request?: ApprovalItem,
  width = state.size.columns - 2,
): readonly Line[] {
  const paper: Paper = { width, charset: state.charset };
  if (request !== undefined) return approvalLines(request, state.nowMs, paper);
  const { screen, lists } = state;
  switch (screen) {
    case 'resources': {
      const resource = chosenOf(lists.resources);
      return resource === undefined ? [] : resourceLines(resource, state, paper);
    }
    case 'feed': {
      const event = chosenOf(lists.feed);
      return event === undefined ? [] : eventLines(event, paper);
    }
    case 'approvals': {
      const item = chosenOf(lists.approvals);
      if (item === undefined) return [];
      const looked = state.looked.get(item.id);
      return approvalLines(looked?.status === item.status ? looked : item, state.nowMs, paper);
    }
    case 'sessions': {
      const session = chosenOf(lists.sessions);
      return session === undefined ? [] : sessionLines(session, paper);
    }
  }
}

function resourceLines(
  resource: ResourceItem,
  { tunnels, me, mays }: UiState,
  paper: Paper,
): readonly Line[] {
  const { name, protocol, connect, access, masks } = resource;
  const { protocol: _, ...facts } = connect;
  const tunnel = tunnels.get(name);
  return [
    ...factLines(
      [
        ['resource', name, 'strong'],
        ['protocol', protocol],
        ...Object.entries(facts).map(([key, value]): Fact => [key, String(value)]),
        ['as', me?.tunnelsAs ?? me?.name],
        [
          'you may',
          access === 'allow' ? 'connect now' : 'connect when people have approved it: o asks them',
          access === 'allow' ? 'good' : 'warn',
        ],
        ['masked', masks ? 'what is classified, and what detectors find' : 'nothing here is masked'],
      ],
      paper,
    ),
    NOTHING,
    ...tunnelLines(tunnel, paper),
    ...mayLines(mays.get(name), paper),
  ];
}

const MAY_TONES: Readonly<Record<MayItem['effect'], Tone>> = {
  allow: 'good',
  hold: 'warn',
  depends: 'plain',
  deny: 'dim',
};

/** What policy lets one do there; nothing where it is not known. */
function mayLines(may: May | undefined, paper: Paper): readonly Line[] {
  if (may?.items === undefined || may.items.length === 0)
    return may?.failure === undefined
      ? []
      : [NOTHING, ...factLines([['may be done', may.failure.message, 'bad']], paper)];
  const lines = may.items.flatMap((item) =>
    mayItemLines(item, paper.width).map((text) => line(text, MAY_TONES[item.effect])),
  );
  return [NOTHING, line('what may be done there, by policy', 'dim'), ...lines];
}

function tunnelLines(tunnel: TunnelState | undefined, paper: Paper): readonly Line[] {
  const { width } = paper;
  switch (tunnel?.kind) {
    case undefined:
      return [line('no tunnel: o opens one', 'dim')];
    case 'opening':
      return [line('opening …', 'warn')];
    case 'waiting':
      return factLines(
        [
          ['waits for', tunnel.needs, 'warn'],
          ['request', tunnel.approval],
        ],
        paper,
      );
    case 'failed':
      return factLines(
        [
          ['failed', tunnel.failure.message, 'bad'],
          ['hint', tunnel.failure.hint],
        ],
        paper,
      );
    case 'open':
      return [
        ...factLines(
          [
            ['tunnel', `open on ${tunnel.where}`, 'good'],
            ['until', tunnel.deadline],
            ['refused', tunnel.refused?.message, 'bad'],
            ['', tunnel.refused?.hint],
          ],
          paper,
        ),
        NOTHING,
        line('connection string (c copies it)', 'dim'),
        ...wrapped(tunnel.url, width).map((text) => line(text, 'accent')),
        NOTHING,
        line('commands (e copies them)', 'dim'),
        ...tunnel.steps.flatMap((step) => wrapped(step, width)).map((text) => line(text)),
      ];
  }
}

function eventLines(event: AuditEventItem, paper: Paper): readonly Line[] {
  const actor = record(event['actor']);
  const rules = list(event['rules']).map(record);
  const facts: Fact[] = [
    ['event', event.type, 'strong'],
    ['at', event.at],
    ['who', actorText(actor)],
    ['attested', pairs(actor['attested'])],
    ['says of itself', pairs(actor['declared'])],
    ['resource', text(event['resource'])],
    ['actions', list(event['actions']).join(', ')],
    ['objects', list(event['objects']).join(', ')],
    ['decision', text(event['decision']), decisionTone(event['decision'])],
    ...rules.flatMap((rule): Fact[] => [
      ['rule', text(rule['id'])],
      ['why', text(rule['reason'])],
      ['instead', text(rule['hint'])],
    ]),
    ['reason', text(event['reason'])],
    ['outcome', [event['outcome'], event['status']].map(text).filter(Boolean).join(' ')],
    ['rows', text(event['rows'])],
    ['masked values', text(event['maskedValues'])],
    ['octets', text(event['bytes'])],
    ['took', event['durationMs'] === undefined ? '' : `${text(event['durationMs'])} ms`],
    ['facts', pairs(event['facts'])],
    ['policy', text(event['policyVersion'])],
    ['session', text(event['session'])],
    ['instance', text(actor['instance'])],
    ['operation', text(event['operation'])],
    ['id', event.id],
  ];
  const said = text(event['text']);
  const body = said === '' ? [] : [NOTHING, ...barred(drawn(said, paper.charset), paper.width)];
  return [...factLines(facts, paper), ...body];
}

function sessionLines(session: SessionItem, paper: Paper): readonly Line[] {
  const { endedAt, denied } = session;
  return factLines(
    [
      ['session', session.id, 'strong'],
      ['who', actorText({ name: session.actor, person: session.person })],
      ['instance', session.instance],
      ['run', session.runs?.join(', ')],
      ['limited to', attenuationText(session.attenuation)],
      ['resource', `${session.resource} (${session.protocol})`],
      ['started', session.startedAt],
      ['ended', endedAt ?? 'live', endedAt === undefined ? 'good' : 'plain'],
      ['reason', session.endReason],
      ['operations', session.operations],
      ['denied', denied, denied > 0 ? 'bad' : 'plain'],
    ],
    paper,
  );
}

const BAR = '  | ';
/** A line goes on that was too long for the window. */
const BAR_ON = '  ¦ ';

/** A request as `approval show` prints it; what is longer than the window goes on in the next line, whole. */
function approvalLines(item: ApprovalItem, nowMs: number, { width, charset }: Paper): readonly Line[] {
  return renderApproval(item, nowMs, Number.POSITIVE_INFINITY, charset).flatMap((text) =>
    text.startsWith(BAR) ? barred(text.slice(BAR.length), width) : hanging(text, width),
  );
}

/** `name  value`: what does not fit goes on below the value. */
function hanging(text: string, width: number): readonly Line[] {
  const name = /^\S(?:.{0,14}?\S)?\s{2,}/.exec(text)?.[0] ?? '';
  if (name === '') return wrapped(text, width).map((one) => line(one));
  return wrapped(text.slice(name.length), width - name.length).map((one, i) => [
    span(i === 0 ? name : ' '.repeat(name.length), 'dim'),
    span(one),
  ]);
}

/** Text to the letter: broken only where the window ends. */
function barred(text: string, width: number): readonly Line[] {
  return text
    .split('\n')
    .flatMap((one) =>
      pieces(one, Math.max(1, width - BAR.length)).map((piece, i) => line((i === 0 ? BAR : BAR_ON) + piece)),
    );
}

function pieces(text: string, width: number): readonly string[] {
  const found: string[] = [];
  let current = '';
  for (const character of line(text)[0]!.text) {
    if (current !== '' && displayWidth(current + character) > width) {
      found.push(current);
      current = '';
    }
    current += character;
  }
  return [...found, current];
}

function actorText(actor: Readonly<Record<string, unknown>>): string {
  const [name, person] = [text(actor['name']), text(actor['person'])];
  return person !== '' && person !== name ? `${name} for ${person}` : name;
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function text(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}

/** `model=planner-2 run=7`; what is no text as JSON. */
function pairs(value: unknown): string {
  return Object.entries(record(value))
    .map(([name, one]) => `${name}=${typeof one === 'string' ? one : JSON.stringify(one)}`)
    .join(' ');
}
