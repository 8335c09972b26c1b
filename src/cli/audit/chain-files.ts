import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { HoopError } from '../../core/errors.ts';

/** A chain on this machine: a file of an export, or a folder of segments as the gateway keeps them. */
export interface ChainFiles {
  readonly name: string;
  /** In order. */
  readonly paths: readonly string[];
}

const SEGMENT = /^\d{6}\.ndjson$/;

/**
 * Finds the chains of a directory: `<chain>.ndjson`, `<chain>/000001.ndjson`, or segments in the directory itself.
 *
 * @throws {HoopError} `ERR_USAGE` it cannot be read or holds none: an empty set must not read as a verified one.
 */
export async function findChains(directory: string): Promise<ChainFiles[]> {
  const entries = await readdir(directory, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    const hint = error.code === 'ENOTDIR' ? { hint: 'name the directory that it lies in' } : {};
    throw new HoopError('ERR_USAGE', `${directory} cannot be read (${error.code ?? error.message})`, hint);
  });
  const chains: ChainFiles[] = [];
  const own = segments(
    directory,
    entries.map((entry) => entry.name),
  );
  if (own.length > 0) chains.push({ name: directory, paths: own });
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) {
      const paths = segments(path, await readdir(path));
      if (paths.length > 0) chains.push({ name: entry.name, paths });
    } else if (entry.name.endsWith('.ndjson') && !SEGMENT.test(entry.name)) {
      chains.push({ name: entry.name, paths: [path] });
    }
  }
  if (chains.length > 0) return chains;
  throw new HoopError('ERR_USAGE', `there is no audit chain in ${directory}`, {
    hint: 'made by: hoopctl audit export --output DIRECTORY',
  });
}

/** A chain's octets, file after file. */
export async function* readFiles(paths: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const path of paths) yield* createReadStream(path) as AsyncIterable<Buffer>;
}

function segments(directory: string, names: readonly string[]): string[] {
  return names
    .filter((name) => SEGMENT.test(name))
    .sort()
    .map((name) => join(directory, name));
}
