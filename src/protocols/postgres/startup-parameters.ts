import { HoopError } from '../../core/errors.ts';

/** Settings that a client may bring along at login: none changes how SQL is read or who may do what. */
const PASSED_ON = new Set([
  'application_name',
  'datestyle',
  'intervalstyle',
  'timezone',
  'extra_float_digits',
  'client_min_messages',
  'bytea_output',
]);

/**
 * What the target is told at the session's start: the client's harmless settings, and those that the analysis of SQL
 * rests upon, pinned.
 *
 * `user` and `database` are the resource's, whatever the client says. UTF-8, in whatever spelling the client asks for
 * it, is what every connection to a target uses anyway.
 *
 * @param client The client's own startup parameters, by name as sent.
 * @throws {HoopError} `ERR_PG_UNSUPPORTED` a setting that is not passed on, or another encoding than UTF-8: better told
 *   than dropped.
 * @see https://www.postgresql.org/docs/current/protocol-message-formats.html StartupMessage
 */
export function startupParameters(client: ReadonlyMap<string, string>): Record<string, string> {
  const passed: Record<string, string> = {};
  for (const [name, value] of client) {
    const key = name.toLowerCase();
    if (key === 'user' || key === 'database' || (key === 'options' && value.trim() === '')) continue;
    if (key === 'client_encoding' && isUtf8(value)) continue;
    if (key === 'replication' && ['false', 'off', 'no', '0'].includes(value.toLowerCase())) continue;
    if (!PASSED_ON.has(key)) throw notPassedOn(key);
    passed[key] = value;
  }
  return {
    ...passed,
    standard_conforming_strings: 'on',
    search_path: '"$user", public',
  };
}

function isUtf8(encoding: string): boolean {
  return ['utf8', 'unicode'].includes(encoding.replace(/[^a-z0-9]/gi, '').toLowerCase());
}

function notPassedOn(name: string): HoopError {
  const hints: Readonly<Record<string, string>> = {
    options: 'unset PGOPTIONS and use SET after connecting',
    client_encoding: 'use UTF8',
    replication: 'replication connections are not supported through the gateway',
  };
  return new HoopError(
    'ERR_PG_UNSUPPORTED',
    `the startup setting "${name}" is not supported through the gateway`,
    {
      hint: hints[name] ?? 'use SET after connecting, if policy allows it',
    },
  );
}
