/**
 * What an agent is told of where it is: what it may reach, what is hidden from it, whom to ask. Pure.
 */
import type { MayItem, ResourceItem, WhoAmI } from '../../api/contract.ts';
import { attenuationText } from '../attenuation.ts';
import { tunnelVariables } from '../connect/environment.ts';
import type { PreparedEnd } from '../connect/prepare.ts';
import { mayWords } from '../render/may.ts';
import { visible } from '../render/text.ts';

export interface BriefFacts {
  readonly me: WhoAmI;
  readonly run: string | undefined;
  readonly ends: readonly PreparedEnd[];
  /** What it may reach only after people have said yes to the connection. */
  readonly held: readonly ResourceItem[];
  /** What stands for many places, of which none was named. */
  readonly many: readonly ResourceItem[];
  readonly sandbox: boolean;
}

/** @returns Markdown, without any secret: variables are named, their values are not. */
export function briefText({ me, run, ends, held, many, sandbox }: BriefFacts): string {
  const who = me.person === undefined || me.person === me.name ? me.name : `${me.name} for ${me.person}`;
  const less = attenuationText(me.attenuation);
  return [
    '# What you may reach',
    '',
    `You are ${code(who)} at the gateway ${code(me.gateway)}${run === undefined ? '' : `, in the run ${code(run)}`}, until ${me.deadline} at the latest.`,
    'Whatever you do through it is decided by policy, on record, and can be replayed.',
    ...(less === undefined ? [] : [`Your rights were limited when you were started: ${visible(less)}.`]),
    ...(sandbox
      ? ['There is no other network: what is not in this list cannot be reached, by any name or address.']
      : []),
    '',
    ...table(ends),
    'A session is opened when a client connects. You need no other credential, and none that you find elsewhere is of use here.',
    ...(ends.some(({ setup }) => 'NO_PROXY' in setup.variables) ? [WITHOUT_URL_PASSWORD] : []),
    '',
    ...may(ends),
    '## What is hidden',
    '',
    ...hidden(ends),
    '',
    '## Whom to ask',
    '',
    'A refusal names its rule and says what to do instead: another object, a smaller change, or whose yes is needed. Do that, or',
    'say to whoever started you that you cannot go on and why. Asking for the same again changes nothing.',
    ...(sandbox
      ? []
      : [
          '`hoopctl policy explain RESOURCE -c TEXT` says beforehand what would become of an operation, and runs nothing;',
          '`hoopctl approval request RESOURCE -c TEXT --reason WHY` asks people for one that needs their yes.',
        ]),
    ...elsewhere(held, many, sandbox),
    '',
  ].join('\n');
}

/** Of what is called by its URL, as the variable tells that goes with it. */
const WITHOUT_URL_PASSWORD =
  'A client that takes no password in the URL of an API (`fetch`) calls it without, and sends the password as `Authorization: Bearer`.';

/** What is not in the table, and how it could be reached: from within a sandbox not at all. */
function elsewhere(
  held: readonly ResourceItem[],
  many: readonly ResourceItem[],
  sandbox: boolean,
): readonly string[] {
  const how = (command: string) => (sandbox ? '' : `: ${code(command)}`);
  const lines = [
    ...held.map(
      ({ name }) =>
        `- ${code(name)}: a person must approve the connection first${how(`hoopctl connect ${name} --wait --reason WHY`)}`,
    ),
    ...many.map(
      ({ name }) =>
        `- ${code(name)}: it stands for many, one of which must be named${how(`hoopctl connect ${name} --host NAME`)}`,
    ),
  ];
  return lines.length === 0 ? [] : ['', 'Not open yet:', '', ...lines];
}

function table(ends: readonly PreparedEnd[]): readonly string[] {
  if (ends.length === 0) return ['There is nothing that you may reach.', ''];
  return [
    '| resource | protocol | in these variables of your environment |',
    '| --- | --- | --- |',
    ...ends.map(
      (one) =>
        `| ${code(one.end.resource.name)} | ${visible(one.end.resource.protocol)} | ${variablesOf(one, ends).map(code).join(' ')} |`,
    ),
    '',
  ];
}

/** Its URL by its name, and what the clients of its protocol look for where it is the first of these. */
function variablesOf(one: PreparedEnd, ends: readonly PreparedEnd[]): readonly string[] {
  const own = Object.keys(tunnelVariables([{ ...one, setup: { ...one.setup, variables: {} } }]));
  const first = ends.find(({ half }) => half === one.half);
  return [...own, ...(first === one ? Object.keys(one.setup.variables) : [])];
}

/** What policy says of each that is open, before it is known what exactly would be done to what. */
function may(ends: readonly PreparedEnd[]): readonly string[] {
  const known = ends.flatMap(({ end: { resource } }) => {
    if (resource.may === undefined || resource.may.length === 0) return [];
    return [`- ${code(resource.name)}`, ...resource.may.map(mayLine)];
  });
  if (known.length === 0) return [];
  return [
    '## What you may do there',
    '',
    'By policy, whatever it is done to; where it depends, on what exactly. More may be refused when it is asked.',
    '',
    ...known,
    '',
  ];
}

function mayLine(item: MayItem): string {
  const { word, how } = mayWords(item);
  const beside = how.length === 0 ? '' : ` (${how.join('; ')})`;
  return `  - ${word}${beside}: ${item.actions.map(code).join(' ')}`;
}

function hidden(ends: readonly PreparedEnd[]): readonly string[] {
  const masking = ends.filter(({ end }) => end.resource.masks).map(({ end }) => code(end.resource.name));
  if (masking.length === 0) return ['Nothing that is known: what you read is what is there.'];
  return [
    `Values may be masked in what you read from ${masking.join(', ')}: replaced, shortened, or NULL. They are masked for you, not missing.`,
    'Do not compute with them, and do not write them back.',
  ];
}

/** As code, whatever is in it. */
function code(text: string): string {
  return `\`${visible(text).replaceAll('`', '')}\``;
}
