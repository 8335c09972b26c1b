import { defineConfig } from 'tsup';

// Workers are entries of their own: a worker thread is started from a file, not from a bundle's inside.
// commander is CommonJS inside a bundle and needs `require`: the banner gives it one.
export default defineConfig({
  entry: {
    hoopctl: 'src/cli/main.ts',
    hoopd: 'src/gateway/main.ts',
    'parse-worker': 'src/protocols/postgres/sql/parse-worker.ts',
    'index-worker': 'src/storage/index-worker.ts',
  },
  format: 'esm',
  target: 'node24',
  platform: 'node',
  splitting: true,
  clean: true,
  sourcemap: true,
});
