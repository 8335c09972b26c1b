import { z } from 'zod';
import { expected, path, port, section, tags, text } from '../../core/config/shape.ts';
import { memberTags } from '../member-tags.ts';
import { sessionTimes } from '../session-times.ts';
import { credentialsConfig } from './credentials/config.ts';

const COLUMN = /^[^.\s]{1,63}\.[^.\s]{1,63}\.[^.\s]{1,63}$/;

const FUNCTION = /^[^.\s]{1,63}\.[^.\s]{1,63}$/;

/** The shape of a PostgreSQL resource. @param base Directory that relative paths start from. */
export function postgresConfig(base: string) {
  return section(
    {
      protocol: z.literal('postgres', expected('postgres', 'write protocol: postgres')),
      target: target(base),
      credentials: credentialsConfig(base),
      session: section(
        { ...sessionTimes(), searchPaths: searchPaths(), settings: settings() },
        'write {max: 8h, idle: 30m}',
      ).prefault({}),
      freeText: freeText(),
      classification: section(
        { columns: columns().prefault({}), fields: fields(), computed: computed() },
        'write {columns: {…}}',
      ).prefault({}),
    },
    'write protocol: postgres, target: {…}, credentials: {…}',
  );
}

/** As read: paths absolute, durations in milliseconds, the password still a reference. */
export type PostgresConfig = z.output<ReturnType<typeof postgresConfig>>;

function target(base: string) {
  return section(
    {
      host: text('a host name or address', 'write a host such as db.internal', /^[^\s/@]{1,253}$/),
      port: port().default(5432),
      database: text("a database's name", 'write the name of one database', /^[^\0]{1,63}$/),
      tls: z
        .enum(['verify-full', 'disable'], expected('verify-full or disable', 'write tls: verify-full'))
        .default('verify-full'),
      caFile: path(base, 'a PEM file', 'ca.pem').optional(),
    },
    'write {host: db.internal, database: shop}',
  );
}

/** Detectors see what a statement gives, not what it was made of. */
function freeText() {
  const message = 'expected SCHEMA.FUNCTION; write a name such as public.initials';
  return section(
    {
      show: z
        .enum(['any', 'plain'], expected('any or plain', 'write show: plain'))
        .default('any')
        .describe(
          'What of free text is shown to whom detectors hide something: whatever a statement makes of it, or plain columns alone.',
        ),
      functions: z
        .array(
          z.string().regex(FUNCTION, message),
          expected('a list of functions', 'write [public.initials]'),
        )
        .max(1000, expected('at most 1,000 functions', 'remove some'))
        .default([])
        .describe('Whose results are shown besides, under show: plain.'),
    },
    'write {show: plain}',
  ).prefault({});
}

function searchPaths() {
  const schema = text("a schema's name", 'write a name such as app, without quotes', /^[^\0]{1,63}$/);
  const path = z
    .array(schema, expected('a list of schemas', 'write [app, public]'))
    .min(1, expected('at least one schema', 'write [app, public]'))
    .max(32, expected('at most 32 schemas', 'remove some'));
  return z
    .array(path, expected('a list of search paths', 'write [[app, public]]'))
    .max(100, expected('at most 100 search paths', 'remove some'))
    .default([])
    .describe('Lists that a session may set as its search_path, beside the one with which it begins.');
}

function settings() {
  const name = text(
    "a setting's name",
    'write a name with a dot, in lower case, such as app.tenant',
    /^[a-z_][a-z0-9_]{0,62}\.[a-z_][a-z0-9_]{0,62}$/,
  );
  return z
    .array(name, expected('a list of settings', 'write [app.tenant]'))
    .max(100, expected('at most 100 settings', 'remove some'))
    .default([])
    .describe("Settings of the database's own code that a session may set to what it likes.");
}

function computed() {
  return z
    .enum(['refuse', 'mask'], expected('refuse or mask', 'write computed: mask'))
    .default('refuse')
    .describe(
      'What becomes of a query that compares, sorts by or computes with a masked column: it is refused, or it has the mask in place of the values.',
    );
}

const COLUMN_WANTED = 'expected SCHEMA.TABLE.COLUMN; write a name such as public.customers.email';

function columns() {
  return byColumn(tags(), 'write {public.customers.email: [pii.email]}');
}

function fields() {
  return byColumn(memberTags(), 'write {public.customers.profile: {"$.email": [pii.email]}}')
    .prefault({})
    .describe('Tags of members of documents in columns of json and jsonb, by their paths.');
}

function byColumn<T extends z.ZodType>(value: T, write: string) {
  return z.record(z.string().regex(COLUMN, COLUMN_WANTED), value, {
    error: (issue) =>
      issue.code === 'invalid_key' ? COLUMN_WANTED : expected('a mapping of columns', write).error(issue),
  });
}
