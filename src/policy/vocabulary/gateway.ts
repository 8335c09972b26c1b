import type { ContextKind, VerbRow, VocabularyPart } from './row.ts';

const CONNECT: ContextKind = { type: 'ConnectContext', facts: '', worstCase: {} };

const ANY_OBJECT = () => true;
const SESSIONS = ['Gateway', 'Resource', 'Recording'];

const VERBS: readonly VerbRow[] = [
  { verb: 'connect', on: ['Resource'], context: CONNECT, always: ANY_OBJECT },
  // No context: answers are remembered. A rule may ask all that it is done to for `name`, `tags` and `detected`, and for a
  // place: what has none has the empty one, so that a rule on a place need not ask for the kind first.
  { verb: 'reveal', on: ['Field', 'Detected'], always: ANY_OBJECT },
  { verb: 'audit.search', on: ['AuditLog'], reads: true },
  { verb: 'audit.export', on: ['AuditLog'], reads: true },
  { verb: 'cleartext.view', on: ['AuditLog', 'Recording'] },
  { verb: 'recording.view', on: ['Recording'], reads: true },
  { verb: 'session.list', on: SESSIONS, reads: true },
  { verb: 'session.kill', on: SESSIONS },
  { verb: 'approval.grant', on: ['Approval'] },
];

/** What every protocol shares, and what people do at hoopd itself. */
export const GATEWAY_VOCABULARY: VocabularyPart = {
  name: 'gateway',
  entities: `
entity Gateway;
entity AuditLog in [Gateway] = { resource?: String };
// What people may say yes to, by its name in @approval, below the resource that it is asked at.
entity Approval in [Resource] = { name: String, resource: String };
entity Recording in [Resource] = { owner?: String, resource?: String };

entity Resource = { name?: String, protocol?: String, tags?: Set<String> };
// A part of a document: a member by its JSON path, a header by its name.
entity Field in [Resource] = { schema: String, table: String, name: String, tags: Set<String>, detected: Bool };
// A kind of value that detectors find, wherever it stands.
entity Detected in [Resource] = { schema: String, table: String, name: String, tags: Set<String>, detected: Bool };
`,
  verbs: VERBS,
};
