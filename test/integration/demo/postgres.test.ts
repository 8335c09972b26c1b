import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type EmbeddedPostgres, startPostgres } from '../../../src/demo/embedded.ts';
import { makeShop } from '../../../src/demo/shop.ts';
import { makeLocalCertificates } from '../../../src/gateway/init/certificates.ts';

describe("the demo's PostgreSQL", () => {
  let directory: string;
  let caPem: string;
  let server: EmbeddedPostgres;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'hoop-demo-pg-'));
    await chmod(directory, 0o755);
    const certificates = await makeLocalCertificates(['127.0.0.1', 'localhost'], Date.now());
    caPem = certificates.authority;
    server = await startPostgres({
      directory,
      certificate: certificates.server,
    });
  });
  afterAll(async () => {
    await server?.stop();
    await rm(directory, { recursive: true, force: true });
  });

  const connect = async (extra: pg.ClientConfig) => {
    const { host, port, admin } = server;
    const client = new pg.Client({ host, port, ...admin, database: 'postgres', ...extra });
    await client.connect();
    return client;
  };

  it('is filled with the shop, over TLS that verifies against the demo authority', async () => {
    const client = await connect({ ssl: { ca: caPem } });
    const shop = makeShop();
    for (const statement of shop.statements) await client.query(statement);
    const { rows } = await client.query('select count(*)::int as n from customers');
    expect(rows[0]).toEqual({ n: shop.counts.customers });
    const tls = await client.query('select version from pg_stat_ssl where pid = pg_backend_pid()');
    expect(tls.rows[0]).toEqual({ version: 'TLSv1.3' });
    await client.end();
  });

  it('refuses plain text and wrong passwords', async () => {
    await expect(connect({ ssl: false })).rejects.toThrow(/no encryption/);
    await expect(connect({ ssl: { ca: caPem }, password: 'wrong' })).rejects.toThrow(/password/);
  });
});
