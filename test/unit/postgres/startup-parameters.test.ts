import { describe, expect, test } from 'vitest';
import { startupParameters } from '../../../src/protocols/postgres/startup-parameters.ts';

const PINNED = { standard_conforming_strings: 'on', search_path: '"$user", public' };

describe('startup settings', () => {
  test('pins what the analysis rests upon and ignores who the client says it is', () => {
    const client = new Map([
      ['user', 'postgres'],
      ['database', 'template1'],
      ['options', ''],
      ['client_encoding', "'utf-8'"],
    ]);
    expect(startupParameters(client)).toEqual(PINNED);
  });

  test('passes harmless ones on', () => {
    expect(
      startupParameters(
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

  test.each([
    ['options', '-c standard_conforming_strings=off'],
    ['client_encoding', 'SJIS'],
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
    expect(() => startupParameters(new Map([[name, value]]))).toThrowError(
      expect.objectContaining({ code: 'ERR_PG_UNSUPPORTED' }),
    );
  });
});
