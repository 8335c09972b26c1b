/** Reads the repository's own sources, for tests that hold its structure. */
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

export const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

export interface ImportOfFile {
  /** As written: `../core/errors.ts`, `node:fs`, `hono`. */
  readonly specifier: string;
  /** Erased at run time: `import type`, or only type names. */
  readonly typeOnly: boolean;
  /** `import()`, loaded when needed. */
  readonly dynamic: boolean;
  readonly line: number;
}

export interface SourceFile {
  /** From the root, with slashes: `src/core/errors.ts`. */
  readonly path: string;
  readonly text: string;
  readonly lines: number;
  readonly ast: ts.SourceFile;
  readonly imports: readonly ImportOfFile[];
}

/** All TypeScript files below a folder of the repository, sorted. Throws if there is none: an empty glob hides errors. */
export function readSources(folder: string): SourceFile[] {
  const paths = globSync(`${folder}/**/*.ts`, { cwd: ROOT }).sort();
  if (paths.length === 0) throw new Error(`no sources below ${folder}`);
  return paths.map((path) => {
    const text = readFileSync(join(ROOT, path), 'utf8');
    const ast = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
    return {
      path: path.replaceAll('\\', '/'),
      text,
      lines: text.split('\n').length - 1,
      ast,
      imports: importsOf(ast),
    };
  });
}

/** The file that a relative import names, from the root; undefined for packages. */
export function resolveImport(from: string, specifier: string): string | undefined {
  if (!specifier.startsWith('.')) return undefined;
  return relative(ROOT, join(ROOT, dirname(from), specifier)).replaceAll('\\', '/');
}

function importsOf(ast: ts.SourceFile): ImportOfFile[] {
  const found: ImportOfFile[] = [];
  const add = (specifier: ts.Node, typeOnly: boolean, dynamic: boolean) => {
    if (!ts.isStringLiteral(specifier)) return;
    const line = ast.getLineAndCharacterOfPosition(specifier.getStart()).line + 1;
    found.push({ specifier: specifier.text, typeOnly, dynamic, line });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) add(node.moduleSpecifier, onlyTypes(node.importClause), false);
    if (ts.isExportDeclaration(node) && node.moduleSpecifier)
      add(node.moduleSpecifier, node.isTypeOnly, false);
    if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument))
      add(node.argument.literal, true, false);
    if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      const [specifier] = node.arguments;
      if (specifier !== undefined) add(specifier, false, true);
    }
    ts.forEachChild(node, visit);
  };
  visit(ast);
  return found;
}

function onlyTypes(clause: ts.ImportClause | undefined): boolean {
  if (clause === undefined) return false;
  if (clause.isTypeOnly) return true;
  const names = clause.namedBindings;
  if (clause.name !== undefined || names === undefined || !ts.isNamedImports(names)) return false;
  return names.elements.length > 0 && names.elements.every((element) => element.isTypeOnly);
}
