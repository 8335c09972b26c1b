import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { secretConformance } from '../../conformance/secrets.ts';

secretConformance('the environment', () => {
  const env: NodeJS.ProcessEnv = {};
  return {
    ref: { env: 'DB_PASSWORD' },
    env,
    put: (secret) => {
      env['DB_PASSWORD'] = secret;
    },
    remove: () => undefined,
  };
});

secretConformance('a file', () => {
  const dir = mkdtempSync(join(tmpdir(), 'hoop-secret-'));
  const file = join(dir, 'password');
  return {
    ref: { file },
    env: {},
    put: (secret) => writeFileSync(file, secret, { mode: 0o600 }),
    remove: () => rmSync(dir, { recursive: true }),
  };
});
