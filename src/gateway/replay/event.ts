import { z } from 'zod';
import type { AuditEventItem } from '../../api/contract.ts';
import type { AskedQuestion } from '../../audit/event.ts';
import type { Principal } from '../../identity/principal.ts';
import type { PolicyValue } from '../../policy/model.ts';
import type { Vocabulary } from '../../policy/vocabulary/index.ts';

const texts = z.array(z.string());
const named = z.record(z.string(), z.string());
const value: z.ZodType<PolicyValue> = z.lazy(() =>
  z.union([z.boolean(), z.number().int(), z.string(), z.array(value), z.record(z.string(), value)]),
);
const values = z.record(z.string(), value);
const object = z.union([
  z.tuple([z.string(), z.string(), values.nullable()]),
  z.tuple([z.string(), z.string(), values.nullable(), z.int().nonnegative()]),
]);
const pair = z.union([
  z.tuple([z.string(), z.int().nonnegative()]),
  z.tuple([z.string(), z.int().nonnegative(), z.literal(1)]),
]);
const question: z.ZodType<AskedQuestion> = z.object({
  objects: z.array(object),
  pairs: z.array(pair),
  context: values,
  withheld: texts.exactOptional(),
  prepares: z.literal(true).exactOptional(),
});

const actor = z.object({
  kind: z.enum(['agent', 'person']),
  name: z.string(),
  person: z.string().optional(),
  personGroups: texts.optional(),
  issuer: z.string(),
  subject: z.string(),
  groups: texts,
  attested: named,
  declared: named,
  attenuation: z
    .object({ readOnly: z.boolean(), resources: texts.optional(), actions: texts.optional() })
    .optional(),
});

const event = z.object({
  id: z.string(),
  at: z.string(),
  actor,
  resource: z.string().default(''),
  actions: texts.default([]),
  objects: texts.default([]),
  text: z.string().default(''),
  decision: z.enum(['allow', 'hold', 'deny']),
  rules: z.array(z.object({ id: z.string() })).default([]),
  asked: z.union([question, z.object({ refused: z.literal(true) })]).optional(),
  cut: texts.default([]),
});

/** A decision as it is on record. */
export type RecordedDecision = z.output<typeof event>;

/** One that a chain holds; undefined: it is not one that this version can read. Pure; never throws. */
export function recordedDecision(item: AuditEventItem): RecordedDecision | undefined {
  const read = event.safeParse(item);
  return read.success ? read.data : undefined;
}

const UNKNOWN = { instance: '', login: '', keyThumbprint: '', signedInAt: 0, deadline: 0 };

/**
 * Who asked, as far as policy may look. Pure; never throws.
 *
 * @returns Undefined: an agent acted for a person, whose groups are not on record.
 */
export function principalOf(
  {
    kind,
    name,
    person,
    personGroups,
    issuer,
    subject,
    groups,
    attested,
    declared,
    attenuation,
  }: z.output<typeof actor>,
  vocabulary: Vocabulary,
): Principal | undefined {
  const own = kind === 'person' ? groups : personGroups;
  if (person !== undefined && own === undefined) return undefined;
  const delegator =
    person === undefined || own === undefined
      ? {}
      : { person: { issuer, subject, name: person, groups: own } };
  const { readOnly = false, resources, actions } = attenuation ?? {};
  const given = {
    readOnly,
    ...(resources === undefined ? {} : { resources }),
    ...(actions === undefined
      ? {}
      : { actions: actions.flatMap((word) => vocabulary.verbsOf(word) ?? [word]) }),
  };
  return {
    ...{ ...UNKNOWN, kind, name, groups, issuer, subject, attested, declared },
    ...delegator,
    ...(attenuation === undefined ? {} : { attenuation: given }),
  };
}
