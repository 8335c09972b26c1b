import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import {
  type ImportOfFile,
  ROOT,
  readSources,
  resolveImport,
  type SourceFile,
} from '../support/source-tree.ts';

/**
 * The rooms and what each may import. A room imports only lower rooms, so that it can be read, tested and replaced
 * without the ones above; the reason is printed when a rule breaks.
 */
const SERVER = ['core', 'api', 'storage', 'identity', 'policy', 'audit', 'masking', 'recording'];
const ROOMS: Readonly<Record<string, { readonly may: readonly string[]; readonly because: string }>> = {
  core: { may: [], because: 'core is the floor: whatever it imported, everything would depend on' },
  api: { may: ['core'], because: 'the contract is read by both halves and must drag neither into the other' },
  wire: {
    may: ['core'],
    because: 'both halves read and write the same bytes, and neither belongs to the other',
  },
  storage: { may: ['core', 'api'], because: 'a store keeps bytes and rows; it must not know what they mean' },
  search: {
    may: ['core', 'api', 'storage'],
    because: 'the index is made of chains as anybody reads them: it needs none of their writers',
  },
  identity: {
    may: ['core', 'api', 'storage'],
    because: 'who somebody is must not depend on what they may do',
  },
  policy: {
    may: ['core', 'api', 'storage', 'identity'],
    because: 'rules speak of principals, never of protocols',
  },
  audit: {
    may: ['core', 'api', 'storage', 'identity', 'policy'],
    because: 'evidence must not depend on the enforcer',
  },
  masking: {
    may: ['core', 'api', 'storage', 'identity', 'policy'],
    because: 'a mask knows values, not protocols',
  },
  recording: {
    may: ['core', 'api', 'storage', 'identity', 'policy'],
    because: 'a recording is bytes that were masked',
  },
  enforcement: { may: SERVER, because: 'the engine is asked by adapters and must know none of them' },
  protocols: {
    may: [...SERVER, 'wire', 'enforcement'],
    because: 'an adapter serves a stream and must not know who accepted it',
  },
  gateway: {
    may: [...SERVER, 'search', 'enforcement', 'protocols'],
    because: 'hoopd composes the server half',
  },
  client: { may: ['core', 'api', 'wire'], because: "hoopctl's half must run without a line of the server's" },
  cli: {
    may: ['core', 'api', 'wire', 'client'],
    because: 'a command talks to hoopd through client, never around it',
  },
  demo: {
    may: [...SERVER, 'enforcement', 'protocols', 'gateway', 'client', 'cli'],
    because: 'the demo plays every part',
  },
};

/** `hoopd demo` is a command of hoopd: its entry may load the demo, and only when asked to. */
const MAY_LOAD_DEMO = /^src\/gateway\/(main|commands\/[a-z-]+)\.ts$/;

const IO_MODULES =
  /^node:(net|tls|fs|fs\/promises|http|https|http2|dgram|dns|child_process|worker_threads|timers)/;
const MAX_LINES = 400;
/** Tables of cases may be longer: they are read by the line. */
const MAX_TEST_LINES = 600;

const sources = readSources('src');
const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  readonly dependencies: Record<string, string>;
  readonly optionalDependencies: Record<string, string>;
  readonly devDependencies: Record<string, string>;
};

const roomOf = (path: string) => path.split('/')[1] ?? '';
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
    const unknown = sources.map((file) => roomOf(file.path)).filter((room) => !(room in ROOMS));
    expect([...new Set(unknown)], 'a new room needs a place in the layering, with a reason').toEqual([]);
  });

  it('imports point downward only', () => {
    const broken = eachImport((file, one, target) => {
      if (target === undefined) return undefined;
      const from = roomOf(file.path);
      const to = roomOf(target);
      if (from === to || ROOMS[from]?.may.includes(to)) return undefined;
      if (to === 'demo' && one.dynamic && MAY_LOAD_DEMO.test(file.path)) return undefined;
      return `${place(file, one)}: ${from} may import ${ROOMS[from]?.may.join(', ') || 'nothing'}, because ${ROOMS[from]?.because}`;
    });
    expect(broken).toEqual([]);
  });

  it('no protocol imports another: one can be removed without touching the rest', () => {
    const protocolOf = (path: string) => /^src\/protocols\/([^/]+)\//.exec(path)?.[1];
    const broken = eachImport((file, one, target) => {
      const from = protocolOf(file.path);
      const to = target === undefined ? undefined : protocolOf(target);
      if (from === undefined || to === undefined || from === to) return undefined;
      if (to === 'stream') return undefined; // what the sessions of every protocol are made of
      if (from === 'kubernetes' && to === 'http') return undefined; // it is HTTP underneath
      return place(file, one);
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

  it('has no runtime import cycle: a cycle is one file in disguise', () => {
    const edges = new Map<string, string[]>();
    for (const file of sources) {
      const targets = file.imports
        .filter((one) => !one.typeOnly && !one.dynamic)
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

  it(`has no file of more than ${MAX_LINES} lines: what is longer has two jobs`, () => {
    const long = [
      ...sources.filter((file) => file.lines > MAX_LINES),
      ...readSources('test').filter((file) => file.lines > MAX_TEST_LINES),
    ];
    expect(long.map((file) => `${file.path}: ${file.lines}`)).toEqual([]);
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
