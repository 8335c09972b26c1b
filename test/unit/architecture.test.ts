import { globSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { ROOMS, roomIn } from '../support/rooms.ts';
import {
  type ImportOfFile,
  ROOT,
  readSources,
  resolveImport,
  type SourceFile,
} from '../support/source-tree.ts';

/** `hoopd demo` is a command of hoopd: its entry may load the demo, and only when asked to. */
const MAY_LOAD_DEMO = /^src\/gateway\/(main|commands\/[a-z-]+)\.ts$/;

const IO_MODULES =
  /^node:(net|tls|fs|fs\/promises|http|https|http2|dgram|dns|child_process|worker_threads|timers)/;
const MAX_LINES = 400;
/** Tables of cases may be longer: they are read by the line. */
const MAX_TEST_LINES = 600;
/** More than that nobody overlooks. */
const MAX_FILES = 20;

const sources = readSources('src');
const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  readonly dependencies: Record<string, string>;
  readonly optionalDependencies: Record<string, string>;
  readonly devDependencies: Record<string, string>;
};

const place = (file: SourceFile, one: ImportOfFile) => `${file.path}:${one.line} imports ${one.specifier}`;

function eachImport(
  visit: (file: SourceFile, one: ImportOfFile, target: string | undefined) => string | undefined,
) {
  return sources.flatMap((file) =>
    file.imports.flatMap((one) => visit(file, one, resolveImport(file.path, one.specifier)) ?? []),
  );
}

describe('architecture', () => {
  it('has only the rooms that are on the map', () => {
    const unknown = sources.flatMap(({ path }) =>
      Object.keys(ROOMS).flatMap((folder) => {
        const room = roomIn(folder, path);
        return room === undefined || ROOMS[folder]?.[room] !== undefined ? [] : [`${folder}: ${room}`];
      }),
    );
    expect([...new Set(unknown)], 'a new room needs a place in the layering, with a reason').toEqual([]);
  });

  it('a room may import only rooms that come before it on the map: none is above itself', () => {
    const upward = Object.entries(ROOMS).flatMap(([folder, rooms]) => {
      const order = Object.keys(rooms);
      return Object.entries(rooms).flatMap(([name, { may }]) =>
        may
          .filter((one) => !order.slice(0, order.indexOf(name)).includes(one))
          .map((one) => `${folder}: ${name} may import ${one}, which is not below it`),
      );
    });
    expect(upward).toEqual([]);
  });

  it('imports point downward only, within a room as between rooms', () => {
    const broken = eachImport((file, one, target) => {
      if (target === undefined) return undefined;
      if (target.startsWith('src/demo/') && one.dynamic && MAY_LOAD_DEMO.test(file.path)) return undefined;
      for (const [folder, rooms] of Object.entries(ROOMS)) {
        const from = roomIn(folder, file.path);
        const to = roomIn(folder, target);
        if (from === undefined || to === undefined || from === to) continue;
        const room = rooms[from];
        if (room?.may.includes(to)) continue;
        const may = room?.may.join(', ') || 'nothing';
        return `${place(file, one)}: ${folder}/${from} may import ${may}, because ${room?.because}`;
      }
      return undefined;
    });
    expect(broken).toEqual([]);
  });

  it('codecs and masking do no I/O: bytes in, values out, so that they can be fuzzed and trusted', () => {
    const pure = /^src\/(masking|wire)\//;
    const broken = eachImport((file, one) =>
      pure.test(file.path) && IO_MODULES.test(one.specifier) && !one.typeOnly ? place(file, one) : undefined,
    );
    expect(broken).toEqual([]);
  });

  it('has no import cycle, of types neither: a cycle is one file in disguise', () => {
    const edges = new Map<string, string[]>();
    for (const file of sources) {
      const targets = file.imports
        // What is loaded when it is asked for may name who asks: a command that prints the tree of all commands.
        .filter((one) => !one.dynamic)
        .flatMap((one) => resolveImport(file.path, one.specifier) ?? []);
      edges.set(file.path, targets);
    }
    expect(findCycle(edges)).toBeUndefined();
  });

  it('has no mutable state at module level: two gateways must fit in one process', () => {
    const broken = sources.flatMap((file) =>
      file.ast.statements
        .filter((node): node is ts.VariableStatement => ts.isVariableStatement(node))
        .filter((node) => (node.declarationList.flags & ts.NodeFlags.Const) === 0)
        .map((node) => `${file.path}: ${node.getText().split('\n')[0]}`),
    );
    expect(broken).toEqual([]);
  });

  it('hoopctl starts without files, network and cryptography: what a command needs of them it loads itself', () => {
    const byPath = new Map(sources.map((file) => [file.path, file]));
    // Its version is written into the build.
    const atStart = new Set(['src/cli/version.ts', 'src/cli/main.ts']);
    const loaded: string[] = [];
    for (const path of atStart) {
      if (path === 'src/cli/version.ts') continue;
      const file = byPath.get(path);
      for (const one of file?.imports ?? []) {
        if (one.dynamic || one.typeOnly || file === undefined) continue;
        const target = resolveImport(path, one.specifier);
        if (target !== undefined) atStart.add(target);
        else if (one.specifier !== 'commander') loaded.push(place(file, one));
      }
    }
    expect(atStart.size, 'the commands are among them').toBeGreaterThan(30);
    expect(loaded).toEqual([]);
  });

  it(`has no file of more than ${MAX_LINES} lines: what is longer has two jobs`, () => {
    const long = [
      ...sources.filter((file) => file.lines > MAX_LINES),
      ...readSources('test').filter((file) => file.lines > MAX_TEST_LINES),
    ];
    expect(long.map((file) => `${file.path}: ${file.lines}`)).toEqual([]);
  });

  it(`has no folder of more than ${MAX_FILES} files: what is longer has rooms`, () => {
    const counts = new Map<string, number>();
    for (const path of globSync('{src,test}/**/*', { cwd: ROOT, withFileTypes: true })) {
      if (path.isFile()) counts.set(path.parentPath, (counts.get(path.parentPath) ?? 0) + 1);
    }
    const large = [...counts].filter(([, count]) => count > MAX_FILES);
    expect(large.map(([folder, count]) => `${relative(ROOT, folder)}: ${count}`)).toEqual([]);
  });
});

describe('dependencies', () => {
  it('sources import only declared packages, and optional ones only when needed', () => {
    const broken = eachImport((file, one) => {
      if (one.specifier.startsWith('.') || one.specifier.startsWith('node:') || one.typeOnly)
        return undefined;
      const name = one.specifier
        .split('/')
        .slice(0, one.specifier.startsWith('@') ? 2 : 1)
        .join('/');
      if (name in manifest.dependencies) return undefined;
      if (name in manifest.optionalDependencies) {
        return one.dynamic ? undefined : `${place(file, one)}: optional, so only by import()`;
      }
      return `${place(file, one)}: not a dependency`;
    });
    expect(broken).toEqual([]);
  });

  it('every dependency has its reason in docs/decisions/0002-dependencies.md, and every reason its dependency', () => {
    const record = readFileSync(join(ROOT, 'docs/decisions/0002-dependencies.md'), 'utf8');
    const argued = [...record.matchAll(/^\| `([^`]+)` \| [^|]{20,} \|/gm)].map((match) => match[1] ?? '');
    const { dependencies, optionalDependencies, devDependencies } = manifest;
    const declared = Object.keys({ ...dependencies, ...optionalDependencies, ...devDependencies });
    expect(argued.toSorted()).toEqual(declared.toSorted());
  });
});

/** Depth-first search; returns one cycle as a list of paths, or undefined. */
function findCycle(edges: ReadonlyMap<string, readonly string[]>): string[] | undefined {
  const done = new Set<string>();
  const trail: string[] = [];
  const walk = (path: string): string[] | undefined => {
    if (done.has(path)) return undefined;
    const at = trail.indexOf(path);
    if (at !== -1) return [...trail.slice(at), path];
    trail.push(path);
    for (const next of edges.get(path) ?? []) {
      const cycle = walk(next);
      if (cycle !== undefined) return cycle;
    }
    trail.pop();
    done.add(path);
    return undefined;
  };
  for (const path of edges.keys()) {
    const cycle = walk(path);
    if (cycle !== undefined) return cycle;
  }
  return undefined;
}
