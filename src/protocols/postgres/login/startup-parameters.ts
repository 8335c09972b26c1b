import { HoopError } from '../../../core/errors.ts';
import type { SettingFact } from '../sql/facts/facts.ts';
import { schemasOf } from '../sql/meaning/search-path.ts';
import { isFree, isSafeSetting, type Settable } from '../sql/meaning/settings.ts';
import { startupOptions } from './startup-options.ts';

/**
 * What the target is told at the session's start: the client's harmless settings, given singly or in `options`, and those
 * that the analysis of SQL rests upon, pinned.
 *
 * `user` and `database` are the resource's, whatever the client says. UTF-8, in whatever spelling the client asks for
 * it, is what every connection to a target uses anyway; so it is where the client asks for no encoding (`SQL_ASCII`), and
 * ParameterStatus tells it.
 *
 * @param client The client's own startup parameters, by name as sent.
 * @param settable Where the client asks for no `search_path`, the role's and the database's own counts.
 * @throws {HoopError} `ERR_UNSUPPORTED` a setting that is not passed on, or another encoding than UTF-8: better told
 *   than dropped.
 * @see https://www.postgresql.org/docs/current/protocol-message-formats.html StartupMessage
 */
export function startupParameters(
  client: ReadonlyMap<string, string>,
  settable: Settable,
): Record<string, string> {
  const passed: Record<string, string> = {};
  const options = client.get('options') ?? '';
  const settings = startupOptions(options);
  if (settings === undefined) throw notPassedOn('options');
  // As the server has it: what stands in `options` yields to a startup parameter of its own.
  for (const [name, value] of [...settings, ...client]) {
    const key = name.toLowerCase();
    if (key === 'user' || key === 'database' || key === 'options') continue;
    if (key === 'client_encoding' && takesUtf8(value)) continue;
    if (key === 'replication' && ['false', 'off', 'no', '0'].includes(value.toLowerCase())) continue;
    if (!isSafeSetting(settingOf(key, value), settable)) throw notPassedOn(key);
    passed[key] = value;
  }
  return { ...passed, standard_conforming_strings: 'on' };
}

function settingOf(name: string, value: string): SettingFact {
  const schemas = name === 'search_path' ? schemasOf(value) : undefined;
  return { verb: 'set', name, value, local: false, ...(schemas === undefined ? {} : { schemas }) };
}

/**
 * Names of settings that the client asks for and that policy must permit as it must permit SET: the path, and those that this
 * resource alone lets sessions set. Pure.
 */
export function settingsToPermit(client: ReadonlyMap<string, string>, settable: Settable): readonly string[] {
  const settings = startupOptions(client.get('options') ?? '') ?? [];
  const names = new Set([...settings, ...client].map(([name]) => name.toLowerCase()));
  return [...names].filter((name) => name === 'search_path' || isFree(name, settable));
}

/** UTF-8, or no encoding at all: psql on a terminal says the latter wherever no locale is set, as in most containers. */
function takesUtf8(encoding: string): boolean {
  return ['utf8', 'unicode', 'sqlascii'].includes(encoding.replace(/[^a-z0-9]/gi, '').toLowerCase());
}

function notPassedOn(name: string): HoopError {
  const hints: Readonly<Record<string, string>> = {
    options:
      'in PGOPTIONS only settings are understood, as in "-c timezone=UTC"; unset it and change the setting after connecting',
    client_encoding: 'use UTF8',
    search_path: 'leave it as it is set for the role, or ask for the list to be permitted on this resource',
    replication: 'replication connections are not supported through the gateway',
  };
  return new HoopError(
    'ERR_UNSUPPORTED',
    `the startup setting "${name.slice(0, 64)}" is not supported through the gateway`,
    {
      hint: hints[name] ?? 'change the setting after connecting, if policy allows it',
    },
  );
}
