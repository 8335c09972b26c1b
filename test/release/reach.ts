/** What a bundle reaches: its own chunks, and the packages that it imports. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';

export interface Reached {
  /** In the folder, sorted: the entries and every chunk that they import, now or later. */
  readonly files: readonly string[];
  /** Names, sorted. */
  readonly packages: readonly string[];
}

/** Follows the imports of built files. @throws {Error} where a chunk is missing. */
export function reach(folder: string, entries: readonly string[]): Reached {
  const files = new Set<string>();
  const packages = new Set<string>();
  const visit = (file: string) => {
    if (files.has(file)) return;
    files.add(file);
    for (const specifier of importsOf(readFileSync(join(folder, file), 'utf8'))) {
      if (specifier.startsWith('./')) visit(specifier.slice(2));
      else if (!specifier.startsWith('node:')) packages.add(packageOf(specifier));
    }
  };
  for (const entry of entries) visit(entry);
  return { files: [...files].toSorted(), packages: [...packages].toSorted() };
}

function importsOf(text: string): readonly string[] {
  return ts.preProcessFile(text, true, true).importedFiles.map(({ fileName }) => fileName);
}

function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}
