import { execFileSync } from 'node:child_process';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { ROOT, readSources, type SourceFile } from '../support/source-tree.ts';

/** Where a reader must be able to trust a function without reading it: the wire, the engine, identity, the chain. */
const STRICT = /^src\/(wire|enforcement|identity|core\/evidence)\/|^src\/audit\/chain[a-z-]*\.ts$/;

const pages = ['README.md', 'CHANGELOG.md', 'SECURITY.md', ...globSync('docs/**/*.md', { cwd: ROOT })];
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');

interface Documented {
  readonly where: string;
  readonly node: ts.FunctionDeclaration;
  readonly summary: string;
  readonly tags: ReadonlySet<string>;
}

function exportedFunctions(file: SourceFile): Documented[] {
  return file.ast.statements
    .filter((node): node is ts.FunctionDeclaration => ts.isFunctionDeclaration(node))
    .filter((node) => node.modifiers?.some((one) => one.kind === ts.SyntaxKind.ExportKeyword) ?? false)
    .map((node) => {
      const { line } = file.ast.getLineAndCharacterOfPosition(node.getStart());
      const comment = ts.getJSDocCommentsAndTags(node).find((one): one is ts.JSDoc => ts.isJSDoc(one));
      const summary = ts.getTextOfJSDocComment(comment?.comment) ?? '';
      const tags = new Set(ts.getJSDocTags(node).map((tag) => tag.tagName.text));
      return { where: `${file.path}:${line + 1} ${node.name?.text}`, node, summary, tags };
    });
}

describe('docstrings', () => {
  const functions = readSources('src')
    .filter((file) => STRICT.test(file.path))
    .flatMap(exportedFunctions);

  it('finds the functions it is about', () => {
    expect(functions.length).toBeGreaterThan(20);
  });

  it('every exported function there says what it does', () => {
    const silent = functions.filter(
      ({ summary, tags }) => summary.trim().length < 15 && !tags.has('returns'),
    );
    expect(silent.map(({ where }) => where)).toEqual([]);
  });

  it('one that throws in its own body says with which code, or that it never does', () => {
    const throwsItself = (node: ts.Node): boolean => {
      if (ts.isThrowStatement(node)) return true;
      if (ts.isFunctionLike(node)) return false;
      return ts.forEachChild(node, throwsItself) ?? false;
    };
    const silent = functions.filter(({ node, summary, tags }) => {
      const throws = node.body !== undefined && throwsItself(node.body);
      return throws && !tags.has('throws') && !/never throws/i.test(summary);
    });
    expect(silent.map(({ where }) => where)).toEqual([]);
  });
});

describe('pages', () => {
  it('every link to a file leads to one', () => {
    const broken = pages.flatMap((page) =>
      [...read(page).matchAll(/\]\(([^)#\s]+)(#[^)]*)?\)/g)]
        .map((match) => match[1] ?? '')
        .filter((target) => !/^[a-z]+:/.test(target) && !existsSync(join(ROOT, dirname(page), target)))
        .map((target) => `${page}: ${target}`),
    );
    expect(broken).toEqual([]);
  });

  it('every link to a heading of a page leads to one', () => {
    const anchors = (page: string) =>
      [...read(page).matchAll(/^#+ (.+)$/gm)].map((match) =>
        (match[1] ?? '')
          .toLowerCase()
          .replace(/[^\w\s-]/g, '')
          .replaceAll(' ', '-'),
      );
    const broken = pages.flatMap((page) =>
      [...read(page).matchAll(/\]\(([^)#\s]*\.md)?#([^)\s]+)\)/g)]
        .filter((match) => {
          const target = match[1] === undefined ? page : join(dirname(page), match[1]);
          return !existsSync(join(ROOT, target)) || !anchors(target).includes(match[2] ?? '');
        })
        .map((match) => `${page}: ${match[0]}`),
    );
    expect(broken).toEqual([]);
  });

  it('every source or test that a page names exists', () => {
    const broken = pages.flatMap((page) =>
      [...read(page).matchAll(/`((?:src|test|docs|bin)\/[\w./-]+\.[a-z]+)`/g)]
        .map((match) => match[1] ?? '')
        .filter((path) => !existsSync(join(ROOT, path)))
        .map((path) => `${page}: ${path}`),
    );
    expect(broken).toEqual([]);
  });

  it('every decision record is in the list, and numbers are not used twice', () => {
    const records = globSync('docs/decisions/[0-9]*.md', { cwd: ROOT }).map((path) =>
      path.slice('docs/decisions/'.length),
    );
    const listed = [...read('docs/decisions/README.md').matchAll(/\]\((\d{4}-[\w-]+\.md)\)/g)].map(
      (match) => match[1],
    );
    expect(listed.toSorted()).toEqual(records.toSorted());
    expect(new Set(records.map((name) => name.slice(0, 4))).size).toBe(records.length);
  });
});

describe('README', () => {
  const readme = read('README.md');
  const blocks = [...readme.matchAll(/^```(?:sh|console)\n([\s\S]*?)^```/gm)]
    .map((match) => match[1] ?? '')
    .join('\n');

  it('sets up with two commands: one runs the main job, one the tests', () => {
    const setUp = blocks.match(/^(?:\$ )?npm ci && .+$/gm);
    expect(setUp).toEqual(['npm ci && npm start', 'npm ci && npm test']);
  });

  it('quotes only commands and options that exist', () => {
    const commands = [...blocks.matchAll(/\bnpx (hoopctl|hoopd) (.+)$/gm)].map((match) => {
      const words = (match[2] ?? '').split(' -- ')[0]?.split(' ') ?? [];
      const nouns = words.slice(0, 2).filter((word) => /^[a-z]+$/.test(word));
      return { program: match[1] ?? '', words, nouns };
    });
    expect(commands.length).toBeGreaterThan(3);
    const known = new Map<string, string>();
    const problems = commands.flatMap(({ program, words, nouns }) => {
      const name = `${program} ${nouns.join(' ')}`;
      const help = known.get(name) ?? helpOf(program, nouns);
      known.set(name, help);
      return words
        .filter((word) => word.startsWith('--') && !help.includes(word))
        .map((word) => `${program} ${nouns}: ${word}`);
    });
    expect(problems).toEqual([]);
  });
});

/** Help of the command; a second word that is an argument, not a subcommand, prints its parent's help. */
function helpOf(program: string, nouns: readonly string[]): string {
  const argv = JSON.stringify(['node', program, ...nouns, '--help']);
  const script =
    program === 'hoopctl'
      ? `process.argv = ${argv}; await import('./src/cli/main.ts')`
      : `await (await import('./src/gateway/main.ts')).run(${argv})`;
  return execFileSync(process.execPath, ['--input-type=module', '-e', script], {
    cwd: ROOT,
    encoding: 'utf8',
  });
}
