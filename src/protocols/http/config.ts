import { z } from 'zod';
import { duration, expected, parsed, path, section, tags, text } from '../../core/config/shape.ts';
import { parseFieldPath } from '../../masking/json/field-path.ts';
import { memberTags } from '../member-tags.ts';
import { sessionTimes } from '../session-times.ts';
import { readRange } from '../stream/addresses.ts';
import { credentialsConfig } from './credentials/config.ts';
import { parseRoute } from './request/route-pattern.ts';

/** The shape of an HTTP resource. @param base Directory that relative paths start from. */
export function httpConfig(base: string) {
  return section(
    {
      protocol: z.literal('http', expected('http', 'write protocol: http')),
      target: section(
        {
          url: targetUrl(),
          version: version().optional(),
          caFile: path(base, 'a PEM file', 'ca.pem').optional(),
          answer: duration('1s', '1d', '10m').prefault('10m'),
          addresses: addressRanges(),
          upgrades: upgrades(),
        },
        'write {url: https://api.internal}',
      ),
      credentials: credentialsConfig(base),
      session: section(sessionTimes(), 'write {max: 8h, idle: 30m}').prefault({}),
      api: section(
        {
          openapi: path(base, 'an OpenAPI file', 'openapi.yaml').optional(),
          fields: bodyFields(),
          mcp: z
            .array(anyMethod('write /mcp'), expected('a list of routes', 'write [/mcp]'))
            .max(64)
            .prefault([]),
          rpc: rpcMethods(),
        },
        'write {openapi: openapi.yaml}',
      ).prefault({}),
      classification: section(
        { fields: fields().prefault({}), headers: headers().prefault({}), results: results().prefault({}) },
        'write {fields: {…}}',
      ).prefault({}),
    },
    'write protocol: http, target: {…}, credentials: {…}',
  );
}

/** As read: paths absolute, durations in milliseconds, secrets still references. */
export type HttpConfig = z.output<ReturnType<typeof httpConfig>>;

/** http only where the operator writes so: there, whoever is on the way reads the credential. */
export function targetUrl() {
  return parsed(
    'an http or https URL',
    'write https://api.internal, without user, query and fragment',
    (input) => {
      const url = URL.parse(input);
      if (
        url === null ||
        !['http:', 'https:'].includes(url.protocol) ||
        url.username !== '' ||
        url.password !== ''
      )
        return undefined;
      if (/[?#\\%]/.test(input) || /\/\.{0,2}\//.test(url.pathname)) return undefined;
      return { origin: url.origin, base: url.pathname.replace(/\/+$/, '') };
    },
  );
}

/** Where nothing is said: by ALPN, and HTTP/1.1 where there is no TLS. */
function version() {
  return z.enum(['http/1.1', 'http/2'], expected('a version of HTTP', 'write http/1.1 or http/2'));
}

/** Addresses of the machine's own that this target may have all the same. */
export function addressRanges() {
  const range = parsed('an address or a range', 'write 169.254.10.0/24', readRange);
  return z.array(range, expected('a list of addresses', 'write [169.254.10.0/24]')).max(64).prefault([]);
}

/** What connections may be upgraded to, beside HTTP. */
function upgrades() {
  const one = z.enum(['websocket'], expected('websocket', 'write [websocket]'));
  return z.array(one, expected('a list of protocols', 'write [websocket]')).max(1).prefault([]);
}

function fields() {
  return z.record(
    known('a route', 'write GET /customers/*', parseRoute),
    memberTags(),
    expected('a mapping of routes', 'write {"GET /customers/*": {"$.email": [pii.email]}}'),
  );
}

/** By a tool's name, or a method's. */
function results() {
  return z.record(
    text('a tool or a method', 'write lookup_customer, or "*" for all', /^[\x21-\x7e]{1,128}$/),
    memberTags(),
    expected('a mapping of tools', 'write {lookup_customer: {"$.email": [pii.email]}}'),
  );
}

/** Routes that speak JSON-RPC, each with its methods. */
function rpcMethods() {
  const list = expected('a list of methods', 'write [orders.get, orders.list]');
  const method = text("a method's name", 'write orders.get', /^[\x21-\x7e]{1,128}$/);
  return z
    .record(
      anyMethod('write /rpc'),
      z.array(method, list).min(1, list).max(1024, list),
      expected('a mapping of routes', 'write {/rpc: [orders.get]}'),
    )
    .prefault({});
}

/** A route without a method of HTTP. */
function anyMethod(write: string) {
  return known('a route', write, (input) =>
    parseRoute(input)?.method === undefined ? parseRoute(input) : undefined,
  );
}

/** Members of bodies that rules look at. */
function bodyFields() {
  const list = expected('a list of members', 'write ["$.amount", "$..role"]');
  const members = z.array(known("a member's path", 'write $.amount or $..role', parseFieldPath), list);
  return z
    .record(
      known('a route', 'write POST /payments', parseRoute),
      members.min(1, list).max(64, list),
      expected('a mapping of routes', 'write {"POST /payments": ["$.amount"]}'),
    )
    .prefault({});
}

function headers() {
  return z.record(
    text("a header's name", 'write X-Customer', /^[A-Za-z0-9-]{1,64}$/),
    tags(),
    expected('a mapping of headers', 'write {X-Customer: [pii.name]}'),
  );
}

/** Text that is kept as it was written, if it can be read. */
function known(what: string, write: string, read: (text: string) => unknown) {
  return z.string(expected(what, write)).refine((input) => read(input) !== undefined, expected(what, write));
}
