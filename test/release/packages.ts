/** Installed packages: which belong together, what of them is packed, and under which licence. */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import type { Entry } from './entries.ts';

export interface Installed {
  readonly name: string;
  readonly version: string;
  readonly folder: string;
  /** As the package names it: `MIT`. */
  readonly licence: string;
  /** The licence's whole text, and what else it asks to be passed on. */
  readonly terms: string;
}

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly license?: string;
  readonly licenses?: readonly { readonly type: string }[];
  readonly dependencies?: Readonly<Record<string, string>>;
}

/** Whose code is in what is built, with whatever they need. */
export const BUNDLED = ['commander', 'ink', 'react'] as const;

/** Not needed to run here: types, maps, texts for people, sources in C, programs of Windows. */
const LEFT_OUT =
  /\.(map|md|flow|html|bnf|gyp|cc?|exe|[cm]?ts)$|(^|\/)(tests?|examples?|docs|bench|\.github)\//i;
/** Builds of what is there already. */
const OTHER_BUILDS: Readonly<Record<string, RegExp>> = {
  '@cedar-policy/cedar-wasm': /^(esm|web)\//,
};
const TERMS = /^(licen[sc]e|copying|notice)[^/]*$/i;
/** Where a package has no text of the licence that it names: who has it word by word. */
const TERMS_OF: Readonly<Record<string, string>> = {
  '@cedar-policy/cedar-wasm': 'typescript',
  'yoga-layout': 'react',
};
/** Where it says whose it is, and that it is MIT, at the head of a source alone. */
const HEAD_OF: Readonly<Record<string, string>> = { 'qrcode-generator': 'dist/qrcode.mjs' };

/**
 * These packages and all that they depend on, each where Node would find it, sorted by folder.
 *
 * @param root The folder whose `node_modules` it is.
 * @throws {Error} where one is not installed, or comes without a licence.
 */
export function closure(root: string, names: readonly string[]): readonly Installed[] {
  const found = new Map<string, Installed>();
  const visit = (name: string, from: string) => {
    const folder = locate(name, from);
    if (folder === undefined) throw new Error(`${name} is not installed, and ${from} needs it`);
    if (found.has(folder)) return;
    const manifest = readManifest(folder);
    found.set(folder, describe(root, folder, manifest));
    for (const next of Object.keys(manifest.dependencies ?? {})) visit(next, folder);
  };
  for (const name of names) visit(name, root);
  return [...found.values()].toSorted((a, b) => (a.folder < b.folder ? -1 : 1));
}

/** What of a package is packed, below `to`. Packages within it are packages of their own. */
export function filesOf({ name, folder }: Pick<Installed, 'name' | 'folder'>, to: string): readonly Entry[] {
  return globSync('**/*', { cwd: folder, withFileTypes: true, exclude: (one) => one.name === 'node_modules' })
    .filter((one) => one.isFile())
    .map((one) => relative(folder, join(one.parentPath, one.name)).replaceAll('\\', '/'))
    .filter((path) => TERMS.test(path) || !LEFT_OUT.test(path))
    .filter((path) => OTHER_BUILDS[name]?.test(path) !== true)
    .map((path) => ({ path: `${to}/${path}`, data: readFileSync(join(folder, path)) }));
}

/** One text with what every part of a package is under. */
export function copyright(own: string, parts: readonly Omit<Installed, 'folder'>[]): string {
  const rule = '-'.repeat(76);
  const said = parts
    .toSorted((a, b) => (`${a.name} ${a.version}` < `${b.name} ${b.version}` ? -1 : 1))
    .map(
      ({ name, version, licence, terms }) => `${rule}\n${name} ${version}: ${licence}\n\n${terms.trim()}\n`,
    );
  return [`${own.trim()}\n\nInside are works of others, each under its own terms:\n`, ...said].join('\n');
}

/** All texts of a folder that say what it is under. */
export function termsIn(folder: string): string {
  return globSync('*', { cwd: folder })
    .filter((path) => TERMS.test(path))
    .toSorted()
    .map((path) => readFileSync(join(folder, path), 'utf8').trim())
    .join('\n\n');
}

function locate(name: string, from: string): string | undefined {
  for (let folder = from; ; folder = dirname(folder)) {
    const place = join(folder, 'node_modules', name);
    if (existsSync(join(place, 'package.json'))) return place;
    if (folder === dirname(folder)) return undefined;
  }
}

function readManifest(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest;
}

function describe(root: string, folder: string, manifest: Manifest): Installed {
  const { name, version, license, licenses } = manifest;
  const licence = license ?? licenses?.map(({ type }) => type).join(' and ');
  const [lender, head] = [TERMS_OF[name], HEAD_OF[name]];
  const terms =
    head === undefined
      ? termsIn(lender === undefined ? folder : join(root, 'node_modules', lender))
      : `${headOf(join(folder, head))}\n\n${permission(root)}`;
  if (licence === undefined || terms === '') throw new Error(`${name} comes without a licence`);
  return { name, version, folder, licence, terms };
}

/** The comment that a source begins with. @throws {Error} It names no licence. */
function headOf(file: string): string {
  const [, head = ''] = /^((?:\/\/.*\n)+)/.exec(readFileSync(file, 'utf8')) ?? [];
  if (!/Copyright .*[\s\S]*MIT license/i.test(head)) throw new Error(`${file} does not say what it is under`);
  return head.replace(/^\/\/ ?-*/gm, '').trim();
}

/** What MIT permits, word by word as in our own. */
function permission(root: string): string {
  const text = readFileSync(join(root, 'LICENSE'), 'utf8');
  return text.slice(text.indexOf('Permission is hereby granted')).trim();
}
