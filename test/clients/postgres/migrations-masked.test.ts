import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { locatePostgres } from '../../../src/demo/postgres-home.ts';
import { type Stack, startStack, type Tunnel } from '../../support/stack.ts';

const run = promisify(execFile);
const SCRIPT = fileURLToPath(new URL('../../support/clients/migrations.py', import.meta.url));

/** Whatever the schema can be changed by, and one column that is masked. */
const POLICY = `
@id("all") permit (principal, action, resource);
@id("masked") @mask("redact") forbid (principal, action == Action::"reveal", resource is Column)
when { resource.tags.contains("pii.email") };
`;
const FIXTURE = `
CREATE TABLE people (id int PRIMARY KEY, name text, email text);
INSERT INTO people VALUES (1, 'Ann', 'ann@example.com'), (2, 'Bob', 'bob@example.com');
GRANT SELECT ON people TO hoop;
GRANT ALL ON SCHEMA public TO hoop;`;

describe.each([15, 18])('migrations in one transaction by who has masks, before PostgreSQL %i', (version) => {
  let stack: Stack;
  let tunnel: Tunnel;
  let folder: string;
  let direct: NodeJS.ProcessEnv;
  let masked: NodeJS.ProcessEnv;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'hoop-migrations-'));
    await run('chmod', ['755', folder]);
    const bin = version === 18 ? dirname((await locatePostgres(folder)).postgres) : undefined;
    const columns = { 'public.people.email': ['pii.email'] };
    stack = await startStack({
      policy: POLICY,
      sql: FIXTURE,
      columns,
      ...(bin === undefined ? {} : { bin }),
    });
    tunnel = await stack.tunnel();
    const place = (host: string, port: number, user: string, password: string) => ({
      ...process.env,
      ...{ PGHOST: host, PGPORT: String(port), PGUSER: user, PGPASSWORD: password, PGDATABASE: 'shop' },
    });
    masked = place(tunnel.host, tunnel.port, tunnel.user, tunnel.password);
    const { host, port, admin } = stack.postgres;
    direct = place(host, port, admin.user, admin.password);
  });

  afterAll(async () => {
    await tunnel?.close();
    await stack?.stop();
    if (folder) rmSync(folder, { recursive: true, force: true });
  });

  async function tool(env: NodeJS.ProcessEnv, command: string, ...args: string[]): Promise<string> {
    const { stdout, stderr } = await run(command, args, { env, timeout: 100_000 }).catch((error) => error);
    return stdout + stderr;
  }

  const withMasks = (text: string) => text.replaceAll(/\w+@example\.com/g, '***');

  test('Django, Alembic and SQLAlchemy read what they read directly, but for what is masked', async () => {
    const args = ['/usr/bin/python3', '-W', 'ignore', SCRIPT] as const;
    const there = await tool(direct, ...args, 'undone');
    expect(there).toContain('ann@example.com');
    expect(there.trim().split('\n')).toHaveLength(14);
    expect(await tool(masked, ...args)).toBe(withMasks(there));
    expect(await tool(masked, '/usr/bin/psql', '-XAtc', 'SELECT title FROM shop_book ORDER BY 1')).toBe(
      'One\nTwo\n',
    );
  });

  test('psql -1: a file in one transaction', async () => {
    const file = join(folder, 'file.sql');
    writeFileSync(
      file,
      `CREATE TABLE tags (id int GENERATED ALWAYS AS IDENTITY, label text);
INSERT INTO tags (label) VALUES ('a'), ('b');
CREATE UNIQUE INDEX ON tags (label);
ALTER TABLE tags ADD COLUMN of int DEFAULT 1, ADD UNIQUE (id);
SELECT tags.*, people.email FROM tags JOIN people ON people.id = tags.of ORDER BY tags.id;
CREATE TEMP TABLE people (id int);
SELECT count(*) FROM people;
DROP TABLE people;
SELECT * FROM people ORDER BY id;
\\d tags
DROP TABLE tags;
`,
    );
    const args = ['-XAtq1w', '-v', 'ON_ERROR_STOP=1', '-f', file];
    const there = await tool(direct, '/usr/bin/psql', ...args);
    expect(there).toContain('bob@example.com');
    expect(await tool(masked, '/usr/bin/psql', ...args)).toBe(withMasks(there));
  });
});
