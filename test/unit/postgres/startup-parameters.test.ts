import { describe, expect, test } from 'vitest';
import {
  settingsToPermit,
  startupParameters,
} from '../../../src/protocols/postgres/login/startup-parameters.ts';

const PINNED = { standard_conforming_strings: 'on' };
const PATHS = [['app', 'public']];
const startupOf = (client: ReadonlyMap<string, string>) => startupParameters(client, { searchPaths: PATHS });

describe('startup settings', () => {
  test('pins what the analysis rests upon and ignores who the client says it is', () => {
    const client = new Map([
      ['user', 'postgres'],
      ['database', 'template1'],
      ['options', ''],
      ['client_encoding', "'utf-8'"],
    ]);
    expect(startupOf(client)).toEqual(PINNED);
  });

  test.each(['UTF8', 'utf-8', 'UNICODE', 'SQL_ASCII', 'sql_ascii'])('takes %s for UTF-8', (encoding) => {
    expect(startupOf(new Map([['client_encoding', encoding]]))).toEqual(PINNED);
  });

  test('passes harmless ones on', () => {
    expect(
      startupOf(
        new Map([
          ['application_name', 'psql'],
          ['TimeZone', 'UTC'],
        ]),
      ),
    ).toEqual({
      ...PINNED,
      application_name: 'psql',
      timezone: 'UTC',
    });
  });

  test('reads the settings of PGOPTIONS; one of its own counts more', () => {
    const options = String.raw`-c intervalstyle=postgres_verbose --statement-timeout=5s -cDateStyle=ISO,\ DMY -c timezone=UTC`;
    expect(
      startupOf(
        new Map([
          ['TimeZone', 'CET'],
          ['options', options],
        ]),
      ),
    ).toEqual({
      ...PINNED,
      intervalstyle: 'postgres_verbose',
      statement_timeout: '5s',
      datestyle: 'ISO, DMY',
      timezone: 'CET',
    });
  });

  test.each([
    ['search_path', 'app, public'],
    ['search_path', ' "app" ,PUBLIC'],
    ['search_path', ''],
    ['search_path', 'pg_catalog, pg_temp'],
  ])('passes a permitted path on: %s=%s', (name, value) => {
    expect(startupOf(new Map([[name, value]]))).toEqual({ ...PINNED, search_path: value });
  });

  test.each([
    ['search_path', 'public, app'],
    ['search_path', 'app, public, evil'],
    ['search_path', '"app, public"'],
    ['search_path', 'app; public'],
    ['options', '-c search_path=evil'],
    ['options', '-c timezone=UTC -c role=postgres'],
    ['options', '--search-path=evil'],
    ['options', String.raw`-c statement_\timeout=0`],
    ['options', '-c'],
    ['options', '-c =1'],
    ['options', '-d 5'],
    ['options', '-E'],
    ['options', '-- timezone=UTC'],
    ['statement_timeout', '0'],
    ['options', '-c standard_conforming_strings=off'],
    ['client_encoding', 'SJIS'],
    ['client_encoding', 'LATIN1'],
    ['standard_conforming_strings', 'off'],
    ['search_path', 'evil, pg_catalog'],
    ['SEARCH_PATH', 'evil'],
    ['replication', 'database'],
    ['replication', 'true'],
    ['role', 'postgres'],
    ['session_authorization', 'postgres'],
    ['row_security', 'off'],
    ['session_replication_role', 'replica'],
  ])('refuses %s=%s aloud', (name, value) => {
    expect(() => startupOf(new Map([[name, value]]))).toThrowError(
      expect.objectContaining({ code: 'ERR_UNSUPPORTED' }),
    );
  });
});

test.each<[Record<string, string>, readonly string[]]>([
  [{ application_name: 'psql', timezone: 'UTC', work_mem: '8MB' }, []],
  [{ search_path: 'app' }, ['search_path']],
  [{ options: '-c search_path=app -c App.Tenant=5' }, ['search_path', 'app.tenant']],
  [{ 'APP.tenant': '5', options: '--app.tenant=6' }, ['app.tenant']],
  [{ 'app.other': '5' }, []],
])('of %o policy is asked for %o', (client, names) => {
  const settable = { searchPaths: [], settings: ['app.tenant'] };
  expect(settingsToPermit(new Map(Object.entries(client)), settable)).toEqual(names);
});
