import type { ApprovalMessage } from './message.ts';

const TITLES: Readonly<Record<ApprovalMessage['type'], string>> = {
  'approval.requested': 'Approval wanted',
  'approval.granted': 'Said yes',
  'approval.denied': 'Denied',
  'approval.expired': 'Expired undecided or unused',
  'approval.cancelled': 'Cancelled',
  'approval.failed': 'Failed',
  'approval.used': 'Used',
};

/**
 * The same for people in a chat: Slack's incoming webhooks, and those that are compatible with them.
 *
 * Pure. Every value stands in a code span that it cannot leave, with Slack's own escapes: nothing in it is a mention, a
 * link or markup.
 *
 * @see https://docs.slack.dev/messaging/formatting-message-text
 */
export function slackText({ type, data }: ApprovalMessage): string {
  const { person, untrusted } = data;
  const who = `${code(data.actor)}${person === undefined ? '' : ` for ${code(person)}`} on ${code(data.resource)}`;
  return [
    `*${TITLES[type]}*: ${code(data.id)}, ${who}`,
    ...(type === 'approval.requested' ? asked(data) : became(data)),
    ...(data.status === 'pending'
      ? [`Masked, worded by the one who asks: ${code(untrusted.text)}`, decideBy(data)]
      : []),
  ].join('\n');
}

function asked({ rules, actions, attested, window, untrusted }: ApprovalMessage['data']): readonly string[] {
  const { reason, declared, objects } = untrusted;
  const why = rules.map((rule) => (rule.reason === undefined ? rule.id : `${rule.id}: ${rule.reason}`));
  return [
    ...line('Rules', why),
    ...line('Actions', actions),
    ...line('Opened for', window === undefined ? [] : [`${window} s`]),
    ...line('Attested', pairsOf(attested)),
    ...line('Objects', objects),
    ...line('Says of itself', pairsOf(declared)),
    ...line('Why, as it says', reason === undefined ? [] : [reason]),
  ];
}

function became({ votes, endedBy, endReason, usedBy }: ApprovalMessage['data']): readonly string[] {
  return [
    ...line(
      'Yes of',
      votes.map(({ by }) => by),
    ),
    ...line('By', endedBy === undefined ? [] : [endedBy]),
    ...line('Because', endReason === undefined ? [] : [endReason]),
    ...line('Used for', usedBy === undefined ? [] : [usedBy]),
  ];
}

function decideBy({ id, missing, expiresAt, link }: ApprovalMessage['data']): string {
  const where = link === undefined ? code(`hoopctl approval show ${id}`) : escaped(link);
  return `Needs ${missing.map(code).join(', ')} by ${code(expiresAt)}: ${where}`;
}

function line(name: string, values: readonly string[]): readonly string[] {
  return values.length === 0 ? [] : [`${name}: ${values.map(code).join(', ')}`];
}

function pairsOf(record: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(record).map(([key, value]) => `${key}=${value}`);
}

/** An address is made a link even where it stands in code: it is written so that it is none. */
function code(text: string): string {
  return `\`${escaped(text.replaceAll('`', '\\x60').replaceAll('://', '\\x3a//')) || ' '}\``;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
