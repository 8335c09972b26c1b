import { createHash } from 'node:crypto';
import { type DetailedError, type PolicyJson, policyToJson, validate } from '@cedar-policy/cedar-wasm/nodejs';
import { type PolicyNotes, readNotes } from './annotations.ts';
import { type NamedEntity, namedEntities, writtenTags, writtenTexts } from './named.ts';
import { type Place, placeAt, placeOf } from './place.ts';
import { joinSamePlace } from './same-place.ts';
import { shadowed } from './shadows.ts';
import { type Sight, sightOf } from './sight.ts';
import { slipsOf } from './slips.ts';
import { type PolicySource, splitPolicies } from './split.ts';
import type { Vocabulary } from './vocabulary/index.ts';

/** A file of policies: its name is for messages, and orders the files. */
export interface PolicyFile {
  readonly name: string;
  readonly text: string;
}

/** One thing wrong, where it stands and what to write instead. Line and column count from 1, columns in characters. */
export interface PolicyFault {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly message: string;
  /** Empty if the message says it all. */
  readonly cure: string;
}

export interface LoadedPolicy extends PolicyNotes {
  readonly effect: 'permit' | 'forbid';
  readonly text: string;
  readonly file: string;
  readonly line: number;
  /** The type of resource that its head names, by `is` or `==`. */
  readonly type?: string;
  /** What it names, actions aside. */
  readonly named: readonly NamedEntity[];
  /** It forbids `reveal`, and nothing else. */
  readonly hides: boolean;
  /** In its conditions. */
  readonly texts: readonly string[];
  /** Those of them that it asks of tags. */
  readonly tags: readonly string[];
  /** Undefined: it may look at anything. */
  readonly sight?: Sight;
  /** What decides whether it applies. */
  readonly conditions: PolicyJson['conditions'];
}

/** Policies that parsed, validated and are named. Only `loadPolicies` makes one. */
export interface PolicySet {
  /** First 16 hex digits of the SHA-256 of schema and files. */
  readonly version: string;
  readonly policies: readonly LoadedPolicy[];
  /** What they were checked against, and what requests are put in. */
  readonly vocabulary: Vocabulary;
}

export type Loaded =
  | { readonly ok: true; readonly set: PolicySet; readonly warnings: readonly PolicyFault[] }
  | { readonly ok: false; readonly faults: readonly PolicyFault[] };

const MAX_FILES = 500;
const MAX_TOTAL_CHARS = 1024 * 1024;
const MAX_POLICIES = 5000;

/**
 * Reads, checks and names a set of policies.
 *
 * Pure. Strict: every policy must validate against the schema for every request that it could meet, carry a unique
 * `@id` and only annotations we know; a rule that could never apply is refused too, because its author believes in it.
 * Sizes and nesting are bounded before Cedar sees a word, so that no bundle can wedge its parser.
 *
 * @param vocabulary The words that they may use.
 * @param files `*.cedar`; order does not matter. None at all is a valid set that permits nothing.
 * @returns The set, or every fault that was found, by place. Never throws.
 */
export function loadPolicies(vocabulary: Vocabulary, files: readonly PolicyFile[]): Loaded {
  try {
    return load(vocabulary, files);
  } catch (error) {
    // Cedar has failed as a whole: say so rather than take a set that was not checked.
    const message = `the policies could not be checked: ${error instanceof Error ? error.message : String(error)}`;
    return {
      ok: false,
      faults: [{ file: files[0]?.name ?? '', line: 1, column: 1, message, cure: 'restart hoopd' }],
    };
  }
}

function load(vocabulary: Vocabulary, files: readonly PolicyFile[]): Loaded {
  const sorted = files.toSorted((a, b) => (a.name < b.name ? -1 : Number(a.name > b.name)));
  const faults: PolicyFault[] = [];
  const total = sorted.reduce((sum, { text }) => sum + text.length, 0);
  if (sorted.length > MAX_FILES || total > MAX_TOTAL_CHARS) {
    return { ok: false, faults: [tooMuch(sorted[0]?.name ?? '', MAX_FILES, MAX_TOTAL_CHARS)] };
  }
  const policies = sorted.flatMap((file) => readFile(file, vocabulary, faults));
  if (policies.length > MAX_POLICIES) {
    const message = `more than ${MAX_POLICIES} policies`;
    return {
      ok: false,
      faults: [{ ...at(policies.at(-1)!), message, cure: 'join rules with sets and groups' }],
    };
  }
  refuseDuplicates(policies, faults);
  const warnings = validateAll(policies, vocabulary, faults);
  if (faults.length > 0) return { ok: false, faults: joinSamePlace(faults.toSorted(byPlace)) };
  return {
    ok: true,
    set: {
      version: versionOf(vocabulary, sorted),
      policies: policies.map(({ policy }) => policy),
      vocabulary,
    },
    warnings: [
      ...warnings,
      ...shadowed(policies, vocabulary).map(({ rule, ...fault }) => ({ ...at(rule), ...fault })),
    ],
  };
}

/** A policy with what is needed to say where in its file something stands. */
interface Read {
  readonly policy: LoadedPolicy;
  readonly json: PolicyJson;
  readonly source: PolicySource;
  readonly file: PolicyFile;
}

function readFile(file: PolicyFile, vocabulary: Vocabulary, faults: PolicyFault[]): Read[] {
  const split = splitPolicies(file.text);
  if ('fault' in split) {
    const { offset, message, cure } = split.fault;
    faults.push({ file: file.name, ...placeAt(file.text, offset), message, cure });
    return [];
  }
  return split.policies.flatMap((source) => readPolicy(file, source, vocabulary, faults) ?? []);
}

/** Stands for notes that are not known. */
const NAMELESS: { readonly notes: PolicyNotes } = { notes: { id: '' } };

function readPolicy(
  file: PolicyFile,
  source: PolicySource,
  vocabulary: Vocabulary,
  faults: PolicyFault[],
): Read | undefined {
  const start = placeAt(file.text, source.offset);
  const answer = policyToJson(source.text);
  if (answer.type === 'failure') {
    for (const error of answer.errors) faults.push(faultOf(error, file, source));
    return undefined;
  }
  const { effect, action, annotations = {} } = answer.json;
  const read = readNotes(annotations, effect);
  // What else is wrong with it is told at once.
  const notes = 'faults' in read ? NAMELESS : read;
  if ('faults' in read) for (const fault of read.faults) faults.push({ file: file.name, ...start, ...fault });
  const slips = slipsOf(answer.json, notes.notes, vocabulary, (isOfKind) =>
    isAbout(action, vocabulary, isOfKind),
  );
  for (const slip of slips) faults.push({ file: file.name, ...start, ...slip });
  const sight = sightOf(answer.json, action.op === 'All' ? undefined : wordsOf(action));
  return {
    policy: {
      ...notes.notes,
      ...typeOf(answer.json),
      effect,
      text: source.text,
      file: file.name,
      line: start.line,
      named: namedEntities(answer.json),
      hides: effect === 'forbid' && action.op !== 'All' && wordsOf(action).every((word) => word === 'reveal'),
      texts: writtenTexts(answer.json),
      tags: writtenTags(answer.json),
      sight,
      conditions: answer.json.conditions,
    },
    json: answer.json,
    source,
    file,
  };
}

function typeOf({ resource }: PolicyJson): Pick<LoadedPolicy, 'type'> {
  if (resource.op === 'is') return { type: resource.entity_type };
  const entity = entityOf(resource);
  return entity === undefined ? {} : { type: entity.type };
}

/** Whether a rule is about any verb of a kind. */
function isAbout(
  action: PolicyJson['action'],
  vocabulary: Vocabulary,
  isOfKind: (verb: string) => boolean,
): boolean {
  if (action.op === 'All') return true;
  return wordsOf(action).some((word) => (vocabulary.verbsOf(word) ?? []).some(isOfKind));
}

/** Verbs and groups that a rule's head names. */
function wordsOf(action: PolicyJson['action']): string[] {
  const named = 'entities' in action ? action.entities : 'entity' in action ? [action.entity] : [];
  return named.map((entity) => ('__entity' in entity ? entity.__entity : entity).id);
}

function refuseDuplicates(policies: readonly Read[], faults: PolicyFault[]): void {
  const first = new Map<string, Read>();
  for (const read of policies.filter(({ policy }) => policy.id !== '')) {
    const other = first.get(read.policy.id);
    if (other === undefined) first.set(read.policy.id, read);
    else {
      const where = `${other.policy.file}:${other.policy.line}`;
      faults.push({
        ...at(read),
        message: `@id(${JSON.stringify(read.policy.id)}) is taken by ${where}`,
        cure: 'give it a name of its own',
      });
    }
  }
}

/** Warnings that mean that a rule has no effect are faults. */
const WITHOUT_EFFECT = /impossible|unable to find an applicable action/;

function validateAll(
  policies: readonly Read[],
  vocabulary: Vocabulary,
  faults: PolicyFault[],
): PolicyFault[] {
  // By their number: names may be missing, or there twice.
  const byNumber = new Map(policies.map((read, number) => [`${number}`, read]));
  const answer = validate({
    schema: vocabulary.parsedSchema(),
    policies: {
      staticPolicies: Object.fromEntries(policies.map(({ policy }, number) => [`${number}`, policy.text])),
    },
    validationSettings: { mode: 'strict' },
  });
  if (answer.type === 'failure') {
    faults.push(
      ...answer.errors.map((error) => faultOf(error, { name: '', text: '' }, { text: '', offset: 0 })),
    );
    return [];
  }
  const located = (entries: readonly { policyId: string; error: DetailedError }[]) =>
    entries.flatMap(({ policyId, error }) => {
      const read = byNumber.get(policyId);
      return read === undefined ? [] : [{ read, fault: faultOf(error, read.file, read.source) }];
    });
  const errors = located(answer.validationErrors);
  const failed = new Set(errors.map(({ read }) => read));
  const rest = located(answer.validationWarnings).filter(({ read }) => !failed.has(read));
  const dead = rest.filter(({ fault }) => WITHOUT_EFFECT.test(fault.message));
  faults.push(...errors.map(({ fault }) => fault), ...firstOfEach(dead, vocabulary));
  return rest.filter(({ fault }) => !WITHOUT_EFFECT.test(fault.message)).map(({ fault }) => fault);
}

/** Cedar says twice that a rule has no effect; once is enough, with a cure of ours. */
function firstOfEach(
  dead: readonly { readonly read: Read; readonly fault: PolicyFault }[],
  vocabulary: Vocabulary,
): PolicyFault[] {
  const unique = new Map(dead.toReversed().map(({ read, fault }) => [read, fault]));
  return [...unique].map(([{ json }, fault]) => ({
    ...fault,
    message: 'this rule can never apply',
    cure: cureOf(json, vocabulary),
  }));
}

function cureOf({ action, principal, resource }: PolicyJson, vocabulary: Vocabulary): string {
  const group = action.op === '==' ? wordsOf(action).find((word) => vocabulary.isGroup(word)) : undefined;
  if (group !== undefined) return `a group needs "in": action in Action::${JSON.stringify(group)}`;
  const who = entityOf(principal);
  if (who?.type === 'Group') return `a group needs "in": principal in ${written(who)}`;
  const what = entityOf(resource);
  return what === undefined
    ? 'check that action, principal and resource fit together'
    : `what lies below it needs "in": resource in ${written(what)}; or the action is not done to it`;
}

/** What a head names by `==`. */
function entityOf(scope: PolicyJson['principal'] | PolicyJson['resource']): NamedEntity | undefined {
  if (scope.op !== '==' || !('entity' in scope)) return undefined;
  return '__entity' in scope.entity ? scope.entity.__entity : scope.entity;
}

const written = ({ type, id }: NamedEntity) => `${type}::${JSON.stringify(id)}`;

/** Where Cedar says what is wrong, and not what to do. */
const OWN_CURES = new Map([
  ['unexpected end of input', 'close what is open, and end the rule with ;'],
  [
    'attribute `time` in context for Action::"reveal" not found',
    'what is shown has no circumstances: put them on what is done',
  ],
]);

/** Without the number by which Cedar was given the rule. */
function cureText({ help }: DetailedError, message: string): string {
  return help?.replace(/^for policy `[^`]*`, /, '') ?? OWN_CURES.get(message) ?? '';
}

function faultOf(error: DetailedError, file: PolicyFile, source: PolicySource): PolicyFault {
  const start = error.sourceLocations?.[0]?.start ?? 0;
  const message = error.message
    .replace(/^for policy `[^`]*`, /, '')
    .replace(/^failed to parse policy(?: with id `[^`]*`)? from string: /, '');
  const place = placeOf(file.text, source, start);
  return { file: file.name, ...place, message, cure: cureText(error, message) };
}

const at = ({ policy, source, file }: Read): Place & { file: string } => ({
  file: policy.file,
  ...placeAt(file.text, source.offset),
});

function tooMuch(file: string, count: number, chars: number): PolicyFault {
  return {
    file,
    line: 1,
    column: 1,
    message: `more than ${count} files or ${chars} characters of policies`,
    cure: 'join rules',
  };
}

function versionOf(vocabulary: Vocabulary, files: readonly PolicyFile[]): string {
  const content = JSON.stringify([vocabulary.cedarSchema(), ...files.map(({ name, text }) => [name, text])]);
  return createHash('sha256').update(content).digest('hex').slice(0, 16);
}

function byPlace(a: PolicyFault, b: PolicyFault): number {
  return a.file < b.file ? -1 : a.file > b.file ? 1 : a.line - b.line || a.column - b.column;
}
