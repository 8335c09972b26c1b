import { resolve } from 'node:path';
import { z } from 'zod';

/** Tells the collector that something at this path is wrong. */
export type Complain = (path: readonly PropertyKey[], problem: string, cure: string) => void;

/** Where a secret is kept. The configuration never holds the secret itself. */
export type SecretRef = { readonly env: string } | { readonly file: string };

/** What zod hands to an error function: only what we read of it. */
interface RawIssue {
  readonly code?: string;
  readonly input?: unknown;
}

/** Builds zod's message as `problem; cure`: what was expected, what was met, what to write. */
export function expected(what: string, write: string): { error: (issue: RawIssue) => string } {
  return { error: (issue) => complaint(what, write, issue.input) };
}

/** The same for a place where a secret may stand: what was met is never repeated. */
function expectedQuietly(what: string, write: string): { error: (issue: RawIssue) => string } {
  return {
    error: (issue) => (issue.input === undefined ? `is missing; ${write}` : `expected ${what}; ${write}`),
  };
}

function complaint(what: string, write: string, input: unknown): string {
  return input === undefined ? `is missing; ${write}` : `expected ${what}, got ${show(input)}; ${write}`;
}

function show(input: unknown): string {
  if (input === null) return 'nothing';
  if (Array.isArray(input)) return 'a list';
  if (typeof input === 'object') return 'a mapping';
  const text = typeof input === 'string' ? JSON.stringify(input) : String(input);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}

/** A mapping with exactly these keys; unknown ones are named one by one by `issuesToMistakes`. */
export function section<Shape extends z.ZodRawShape>(shape: Shape, write: string) {
  const keys = Object.keys(shape).join(', ');
  return z.strictObject(shape, {
    error: (issue: RawIssue) =>
      issue.code === 'unrecognized_keys' ? keys : complaint('a mapping', write, issue.input),
  });
}

/** Text that `parse` understands; `undefined` from it is a mistake. */
export function parsed<Value>(
  what: string,
  write: string,
  parse: (text: string) => Value | undefined,
  hints: { description?: string; examples?: string[] } = {},
) {
  return z
    .string(expected(what, write))
    .meta(hints)
    .transform((text, context) => {
      const value = parse(text);
      if (value !== undefined) return value;
      context.issues.push({ code: 'custom', input: text, message: complaint(what, write, text) });
      return z.NEVER;
    });
}

export function text(what: string, write: string, pattern = /^[^\p{Cc}]{1,512}$/u) {
  return z.string(expected(what, write)).regex(pattern, expected(what, write));
}

export function names(what: string, write: string) {
  return z.array(text(what, write), expected(`a list of ${what}`, write)).max(1000, expected(what, write));
}

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `90s`, `30m`, `1h30m`, `7d` → milliseconds; undefined if it is none of these. */
export function parseDuration(text: string): number | undefined {
  if (text.length > 32 || !/^(\d+(ms|s|m|h|d))+$/.test(text)) return undefined;
  let total = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+)(ms|s|m|h|d)/g)) total += Number(amount) * UNITS[unit!]!;
  return Number.isSafeInteger(total) ? total : undefined;
}

/** A duration within bounds, both given in the notation itself so that the message can repeat them. */
export function duration(min: string, max: string, example: string) {
  const [low, high] = [parseDuration(min)!, parseDuration(max)!];
  return parsed(`a duration ${min}…${max}`, `write a number with its unit such as ${example}`, (input) => {
    const ms = parseDuration(input);
    return ms !== undefined && ms >= low && ms <= high ? ms : undefined;
  });
}

/** Port numbers 1…65535. */
export function port() {
  const message = expected('a port 1…65535', 'write a number such as 5432');
  return z.number(message).int(message).min(1, message).max(65_535, message);
}

export function whole(min: number, max: number, example: number) {
  const message = expected(`a whole number ${min}…${max}`, `write a number such as ${example}`);
  return z.number(message).int(message).min(min, message).max(max, message);
}

/** https, or http to this machine itself: an issuer or gateway anywhere else must have TLS. */
export function parseWebUrl(input: string): string | undefined {
  const url = URL.parse(input);
  if (url === null || url.username !== '' || url.password !== '' || url.hash !== '') return undefined;
  const loopback = ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname);
  return url.protocol === 'https:' || (url.protocol === 'http:' && loopback) ? input : undefined;
}

/** A file or directory; relative ones are taken from the configuration's directory. */
export function path(base: string, what: string, example: string) {
  return text(what, `write a path such as ${example}`, /^[^\0]{1,4096}$/).transform((input) =>
    resolve(base, input),
  );
}

const SECRET_CURE = 'keep it elsewhere and write {env: NAME} or {file: PATH}';

/** A reference to a secret; a literal is refused without being repeated. */
export function secretRef(base: string) {
  const both = expectedQuietly('exactly one of env and file', SECRET_CURE);
  const env = z
    .string(expectedQuietly("an environment variable's name", 'write its name such as PG_PASSWORD'))
    .regex(
      /^[A-Za-z_][A-Za-z0-9_]{0,127}$/,
      expectedQuietly("an environment variable's name", 'write its name such as PG_PASSWORD'),
    );
  return z
    .strictObject(
      { env: env.optional(), file: path(base, 'a file', './secret').optional() },
      {
        error: (issue: RawIssue) =>
          issue.code === 'unrecognized_keys'
            ? 'env, file'
            : issue.input === undefined
              ? `is missing; ${SECRET_CURE}`
              : `a secret must not stand in the configuration; ${SECRET_CURE}`,
      },
    )
    .refine((ref) => (ref.env === undefined) !== (ref.file === undefined), both)
    .transform((ref): SecretRef => (ref.env !== undefined ? { env: ref.env } : { file: ref.file! }));
}

const TAG = /^[a-z][a-z0-9-]{0,62}(\.[a-z0-9][a-z0-9-]{0,62}){0,4}$/;

/** Tags of what is detected or classified: policies name them. */
export function tags() {
  const one = text('a tag', 'write lower-case words joined by dots such as pii.email', TAG);
  return z
    .array(one, expected('a list of tags', 'write [pii.email]'))
    .min(1, expected('at least one tag', 'write [pii.email]'))
    .max(32, expected('at most 32 tags', 'remove some'));
}

/** A program by its name on PATH or by its path, and its arguments. No shell reads them. */
export function argv(base: string, example: string) {
  const cure = `write a list such as ${example}`;
  return z
    .array(text('a text', cure, /^[^\0]{0,4096}$/), expected('a program and its arguments', cure))
    .min(1, expected('a program', cure))
    .max(64, expected('at most 64 words', 'write a script'))
    .refine(([program]) => program !== '', expected('a program', cure))
    .transform(([program = '', ...rest]) => [
      program.includes('/') ? resolve(base, program) : program,
      ...rest,
    ]);
}

/** Names of variables. */
export function variables(example: string) {
  return z
    .array(
      text("a variable's name", `write its name such as ${example}`, /^[A-Za-z_][A-Za-z0-9_]{0,127}$/),
      expected('a list of names', `write [${example}]`),
    )
    .max(64, expected('at most 64 names', 'remove some'))
    .default([]);
}
