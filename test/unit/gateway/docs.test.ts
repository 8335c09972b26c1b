import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { newSealKeyText } from '../../../src/audit/keys.ts';
import { formatMistake } from '../../../src/core/config/mistake.ts';
import { configJsonSchema } from '../../../src/gateway/config/json-schema.ts';
import { loadConfig } from '../../../src/gateway/config/load.ts';
import { makeLocalCertificates } from '../../../src/gateway/init/certificates.ts';

const page = readFileSync('docs/configuration.md', 'utf8');

describe('docs/configuration.md', () => {
  it('shows an example that loads, with every key in it', async () => {
    const example = /<!-- example -->\n```yaml\n([\s\S]*?)```/.exec(page)![1]!;
    const dir = mkdtempSync(join(tmpdir(), 'hoopd-docs-'));
    const { authority, server } = await makeLocalCertificates(['hoop.example.com'], Date.now());
    const write = (name: string, text: string) => writeFileSync(join(dir, name), text, { mode: 0o600 });
    write('hoopd.yaml', example);
    write('tls.crt', server.cert);
    write('tls.key', server.key);
    write('ca.pem', authority);
    write('client.crt', server.cert);
    write('openapi.yaml', 'openapi: 3.1.0\npaths: {}\n');
    write('people.yaml', 'ada@example.com: [developers]');
    write('seal.key', newSealKeyText());
    write('seal-before.key', newSealKeyText());
    mkdirSync(join(dir, 'policies'));
    const hooks = { SLACK_URL: 'https://hooks.example.com/x', APPROVALS_KEY: `whsec_${newSealKeyText()}` };
    const env = {
      PG_PROD_PASSWORD: 'x',
      OIDC_CLIENT_SECRET: 'y',
      API_PROD_TOKEN: 't',
      API_OLD_KEY: 'k',
      CLIENT_KEY: server.key,
      PARTNER_SECRET: 's',
      AWS_SECRET: 'a',
      K8S_TOKEN: 't',
      HOST_1_KEY: 'k',
      USER_CA: 'c',
      ...hooks,
    };
    const loaded = loadConfig(join(dir, 'hoopd.yaml'), { env });
    rmSync(dir, { recursive: true });
    expect(loaded.ok ? [] : loaded.mistakes.map(formatMistake)).toEqual([]);
    for (const key of keys(configJsonSchema())) expect(example, key).toMatch(new RegExp(`\\b${key}:`));
  });

  it('has a row for every key', () => {
    for (const key of keys(configJsonSchema()))
      expect(page, key).toMatch(new RegExp(`\`([a-zA-Z]+\\.)*${key}\``));
  });
});

/** Names of all properties, but for the places where secrets lie: those are told once for all. */
function keys(schema: unknown): string[] {
  const found = new Set<string>();
  const walk = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return;
    if ('properties' in node && typeof node.properties === 'object' && node.properties !== null) {
      const names = Object.keys(node.properties);
      if (names.join() === 'env,file') return;
      const leaves = Object.entries(node.properties).filter(([, one]) => !('properties' in (one as object)));
      for (const [name] of leaves) found.add(name);
    }
    for (const child of Object.values(node)) walk(child);
  };
  walk(schema);
  return [...found].filter((name) => !['env', 'file'].includes(name));
}
