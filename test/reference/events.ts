/** Types and fields of the audit's events, from their declaration. */
import ts from 'typescript';
import { EVENT_TYPES, type EventType } from '../../src/audit/event.ts';
import { readSources, type SourceFile } from '../support/source-tree.ts';
import { code, page, table } from './markdown.ts';

/** When each is written. A type that has none does not compile. */
const WHEN: Readonly<Record<EventType, string>> = {
  'gateway.started': 'hoopd has started, and nothing was asked of it yet',
  'gateway.stopped': 'hoopd ends as it was told to',
  'config.reloaded': 'configuration or policies were read anew; `failure`: the old ones stay in force',
  'login.exchanged':
    "a login or a job's token was taken, and an instance of hoopctl has a token of the gateway's",
  'login.refused': 'a login was not taken',
  'credential.renewed': "an instance's token was renewed",
  'credential.revoked': 'an instance, login, run, agent, person or model was revoked',
  'lease.begun': 'before a login at a target is made for a session, or used where a command gave it',
  'lease.ended': 'that login is gone; `failure`: it could not be cleared up yet',
  'session.started': 'a session has begun',
  'session.refused': 'a session was asked for and has not begun',
  'session.ended': 'a session has ended, with the hash of its recording',
  'operation.decided': 'before an operation is forwarded or refused',
  'operation.closed': 'what became of an operation that was allowed',
  'audit.searched': 'somebody searched the log',
  'audit.exported': 'somebody downloaded a chain',
  'policy.replayed': 'somebody asked what other policies would have decided of what is on record',
  'audit.recovered': 'the log could not be written for a while, and operations were refused meanwhile',
  'recording.viewed': 'somebody looked at a recording',
  'session.killed': 'somebody ended a session',
  'approval.requested': 'an approval was asked for',
  'approval.viewed': 'somebody who may decide was shown exactly what is asked',
  'approval.tried': 'somebody who may decide had it tried, and undone',
  'approval.granted': 'somebody said yes',
  'approval.denied': 'somebody said no',
  'approval.expired': 'nobody decided in time, or nobody used it in time',
  'approval.cancelled': 'it was taken back, or its client left',
  'approval.used': 'before the operation that was approved is forwarded',
};

/** Interfaces whose members together are an event as it is stored. */
const FIELDS = ['AuditEvent', 'EventInput', 'EventFields'];
/** Of `EventInput`: handed to the writer, and stored in another form or not at all. */
const NOT_STORED = new Set(['original', 'common']);

export function eventsReference(): string {
  const intro = [
    '# Events of the audit',
    '',
    'Every type of event and every field, as the code declares them. What they are for, how they are chained and how to verify them:',
    '[Audit](../audit.md). `hoopctl audit search --json` prints them so, decision and outcome in one.',
  ];
  return page(
    intro,
    ['## Types'],
    table(
      ['type', 'written'],
      EVENT_TYPES.map((type) => [code(type), WHEN[type]]),
    ),
    ['## Fields'],
    table(['field', 'type', ''], fields('AuditEvent', FIELDS, NOT_STORED)),
    ['## The actor'],
    table(['field', 'type', ''], fields('Actor', ['Actor'], new Set())),
  );
}

/** Words that a type allows, by the type's name: where it is written, they are told. */
function unions(file: SourceFile | undefined): ReadonlyMap<string, string> {
  const aliases = (file?.ast.statements ?? []).flatMap((node) =>
    ts.isTypeAliasDeclaration(node) ? [node] : [],
  );
  const written = aliases.filter(({ type }) => ts.isUnionTypeNode(type));
  return new Map(written.map(({ name, type }) => [name.text, type.getText()]));
}

/** Members of interfaces in their order, each once. @throws {Error} where the file has no such interface. */
function fields(
  of: string,
  names: readonly string[],
  without: ReadonlySet<string>,
): readonly (readonly string[])[] {
  const file = readSources('src/audit').find(({ path }) => path === 'src/audit/event.ts');
  const words = unions(file);
  const members = names.flatMap((name) =>
    (file?.ast.statements ?? [])
      .filter((node) => ts.isInterfaceDeclaration(node) && node.name.text === name)
      .flatMap((node) => [...(node as ts.InterfaceDeclaration).members]),
  );
  const rows = members
    .filter((member): member is ts.PropertySignature => ts.isPropertySignature(member))
    .filter((member) => !without.has(member.name.getText()))
    .map((member) => [
      code(`${member.name.getText()}${member.questionToken === undefined ? '' : '?'}`),
      code(words.get(typeText(member)) ?? typeText(member)),
      commentOf(member),
    ]);
  if (rows.length === 0) throw new Error(`src/audit/event.ts has no ${of}`);
  return rows;
}

function typeText(member: ts.PropertySignature): string {
  const text = member.type?.getText() ?? 'unknown';
  return text.replaceAll(/\breadonly /g, '').replaceAll(/\bReadonly<(Record<[^>]+>)>/g, '$1');
}

function commentOf(member: ts.PropertySignature): string {
  const comment = ts.getJSDocCommentsAndTags(member).find((one): one is ts.JSDoc => ts.isJSDoc(one));
  return (ts.getTextOfJSDocComment(comment?.comment) ?? '').replaceAll(/\s+/g, ' ').trim();
}
