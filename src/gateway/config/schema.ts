import { z } from 'zod';
import {
  duration,
  expected,
  names,
  parsed,
  parseWebUrl,
  path,
  secretRef,
  section,
  tags,
  text,
  whole,
} from '../../core/config/shape.ts';
import { isTimeZone } from '../../policy/wall-clock.ts';
import type { Protocol, ResourceConfig } from '../../protocols/protocol.ts';
import { issuer } from './issuer-schema.ts';
import { located, parseListen } from './places.ts';

const NAME = /^[a-z0-9][a-z0-9._-]{0,62}$/;
const NAME_WORDS = 'a name of 1…63 lower-case letters, digits, dots, hyphens and underscores';

/**
 * The shape of `hoopd.yaml`.
 *
 * Every message reads `problem; cure`, because it is printed to the person who made the mistake.
 *
 * @param base Directory that relative paths start from: the file's own.
 * @param protocols Those whose resources may be configured.
 * @returns A zod schema whose output has absolute paths, milliseconds and parsed addresses.
 */
export function configSchema(base: string, protocols: readonly Protocol[]) {
  return section(
    {
      listen: parsed('ADDRESS:PORT', 'write for example 0.0.0.0:7443 or "[::]:7443"', parseListen, {
        description: 'Address and port to listen on; port 0 lets the system choose.',
      }),
      publicUrl: publicUrl().optional(),
      tls: section(
        {
          certFile: path(base, 'a PEM file', 'tls.crt'),
          keyFile: path(base, 'a PEM file', 'tls.key'),
        },
        'write {certFile: tls.crt, keyFile: tls.key}',
      ),
      state: located(base, 'sqlite', 'sqlite:./state'),
      recordings: located(base, 'file', 'file:./recordings'),
      audit: audit(base),
      issuers: z
        .array(issuer(base), expected('a list of issuers', 'write one "- issuer: https://…" per provider'))
        .min(1, expected('at least one issuer', 'write one "- issuer: https://…" per provider'))
        .max(100, expected('at most 100 issuers', 'remove some')),
      agents: table(agent(), 'agents'),
      timeZone: timeZone(),
      detectors: table(detector(), 'detectors').default({}),
      resources: table(resource(base, protocols), 'resources'),
      policies: path(base, 'a directory of *.cedar files', './policies'),
      tokens: tokens().prefault({}),
      limits: limits().prefault({}),
      approvals: approvals(base).prefault({}),
      drain: duration('0s', '1h', '10s').prefault('10s'),
    },
    'start the file with "listen: 0.0.0.0:7443"; `hoopd init` writes a working one',
  );
}

function table<Entry extends z.ZodType>(entry: Entry, what: string) {
  const message = `expected ${NAME_WORDS}; rename it`;
  return z.record(z.string().regex(NAME, message), entry, {
    error: (issue) =>
      issue.code === 'invalid_key'
        ? message
        : expected(`a mapping of ${what} by name`, 'write "NAME: {…}" lines below it').error(issue),
  });
}

function publicUrl() {
  return parsed(
    'an https URL without path',
    'write the address that clients use, such as https://hoop.example.com:7443',
    (input) => {
      const url = URL.parse(input);
      const bare = url !== null && url.pathname === '/' && url.search === '' && url.hash === '';
      return bare && url.protocol === 'https:' && url.username === '' && url.password === ''
        ? url.origin
        : undefined;
    },
    { description: 'What clients call; default https://localhost with the port listened on.' },
  );
}

function timeZone() {
  return text('a time zone', 'write its IANA name, such as Europe/Berlin')
    .refine(isTimeZone, { error: 'there is no such time zone; write its IANA name, such as Europe/Berlin' })
    .default('UTC')
    .describe('In which rules ask for hour, weekday and date (`context.time`).');
}

function audit(base: string) {
  return section(
    {
      durability: z
        .enum(['process', 'strict'], expected('process or strict', 'write durability: process'))
        .default('process'),
      sealKey: secretRef(base),
      formerSealKeys: z
        .array(secretRef(base), expected('a list of keys', 'write [{file: ./seal-of-2026.key}]'))
        .max(10, expected('at most 10 keys', 'remove those that nothing waits under any more'))
        .default([])
        .describe('Keys that `sealKey` has replaced: what was sealed with them and waits still opens.'),
    },
    'write {durability: process, sealKey: {file: ./seal.key}}',
  );
}

function agent() {
  const cure = 'write delegators: {groups: [GROUP]} or match: {issuer: URL, claims: {CLAIM: VALUE}}';
  const one = text("a claim's exact value", 'write the value in quotes');
  const exact = expected("a claim's exact value or a list of values", 'write the value in quotes');
  const value = z.union([one, z.array(one).min(1).max(100)], exact);
  return section(
    {
      delegators: section(
        {
          groups: names('group names', 'write [GROUP, …]').default([]),
          persons: names('person names', 'write [NAME, …]').default([]),
        },
        'write {groups: [GROUP]}',
      )
        .refine((who) => who.groups.length + who.persons.length > 0, {
          error: 'names nobody; write {groups: [GROUP]} or {persons: [NAME]}',
        })
        .optional(),
      match: section(
        {
          issuer: parsed('an https URL', 'write the address of an entry of issuers', parseWebUrl),
          claims: z
            .record(z.string(), value, expected('a mapping', 'write {CLAIM: VALUE}'))
            .refine((claims) => Object.keys(claims).length > 0, {
              error: 'would match every token of that issuer; write at least one CLAIM: VALUE',
            }),
        },
        'write {issuer: URL, claims: {CLAIM: VALUE}}',
      ).optional(),
      groups: names('group names', 'write [GROUP, …]').default([]),
    },
    cure,
  ).refine((entry) => entry.delegators !== undefined || entry.match !== undefined, {
    error: `nobody could act as this agent; ${cure}`,
  });
}

function detector() {
  return section(
    {
      pattern: text('a regular expression', "write it in single quotes: 'EMP-[0-9]{6}'"),
      tags: tags(),
    },
    "write {pattern: 'EMP-[0-9]{6}', tags: [pii.employee]}",
  );
}

/** The shape of a resource is its protocol's; the protocol is told by name. */
function resource(base: string, protocols: readonly Protocol[]) {
  const write = `write protocol: ${protocols.map(({ name }) => name).join(' or ')}`;
  // What a protocol brings is an object with a literal `protocol`, or zod refuses it here.
  const shapes = protocols.map((protocol) => protocol.config(base)) as unknown as [ResourceShape];
  const error = (issue: { readonly input?: unknown }) =>
    issue.input !== null && typeof issue.input === 'object'
      ? `the protocol is missing or unknown; ${write}`
      : expected('a mapping', `${write}, and its keys below`).error(issue);
  return z.discriminatedUnion('protocol', shapes, { error });
}

type ResourceShape = z.ZodObject<{ protocol: z.ZodLiteral<string> }> & z.ZodType<ResourceConfig>;

/** Five minutes at most: that is how soon a group that was removed is promised to be gone. */
function tokens() {
  return section({ lifetime: duration('10s', '5m', '5m').prefault('5m') }, 'write {lifetime: 5m}');
}

function approvals(base: string) {
  return section(
    {
      wait: duration('0s', '1h', '45s')
        .prefault('45s')
        .describe('How long an operation itself waits; then its client gets a ticket.'),
      life: duration('10s', '1d', '1h')
        .prefault('1h')
        .describe('From the question on: neither it nor its yes holds longer.'),
      signIn: duration('1m', '1d', '15m')
        .prefault('15m')
        .describe('How long ago the person who decides may have signed in.'),
      webhooks: z
        .array(webhook(base), expected('a list of webhooks', 'write one "- url: https://…" per webhook'))
        .max(20, expected('at most 20 webhooks', 'remove some'))
        .default([])
        .describe('Who is told of requests and what becomes of them.'),
    },
    'write {wait: 45s, life: 1h, signIn: 15m}',
  );
}

/** Its address is a secret where whoever knows it may write there: it is never repeated. */
function webhook(base: string) {
  const write = 'write an https URL, or {env: NAME} or {file: PATH} that holds one';
  const error = ({ input }: { readonly input?: unknown }) =>
    input === undefined ? `is missing; ${write}` : `expected an https URL; ${write}`;
  const address = z.string({ error }).refine((url) => parseWebUrl(url) !== undefined, { error });
  return section(
    {
      url: z.union([address, secretRef(base)], { error }),
      secret: secretRef(base).optional(),
      format: z.enum(['json', 'slack'], expected('json or slack', 'write format: json')).default('json'),
      link: parsed(
        'an https URL',
        'write where people decide, such as https://wiki.example.com/approvals?id={id}',
        parseWebUrl,
        { description: 'Where people decide; {id} stands for the request.' },
      ).optional(),
    },
    'write {url: https://…, secret: {env: NAME}}',
  ).refine(({ format, secret }) => format === 'slack' || secret !== undefined, {
    error: 'would not be signed; write secret: {env: NAME} or {file: PATH}',
  });
}

function limits() {
  return section(
    {
      connections: whole(1, 1_000_000, 10_000)
        .default(10_000)
        .describe('TLS connections at once, all together.'),
      connectionsPerAddress: whole(1, 1_000_000, 1000)
        .default(1000)
        .describe('TLS connections at once from one address.'),
      sessionsPerInstance: whole(1, 1_000_000, 500)
        .default(500)
        .describe('Sessions at once of one instance: one process of hoopctl.'),
    },
    'write {connections: 10000, connectionsPerAddress: 1000, sessionsPerInstance: 500}',
  );
}

/** `hoopd.yaml`, read and resolved: paths absolute, durations in milliseconds, secrets still references. */
export type HoopdConfig = z.output<ReturnType<typeof configSchema>>;
