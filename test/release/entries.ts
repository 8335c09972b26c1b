/** What a package is made of: files and links in memory, in the order in which they are written. */

/** A file, or a link where `link` is given. Folders are made of the paths. */
export interface Entry {
  /** From the package's root, with slashes: `bin/hoopctl`. */
  readonly path: string;
  /** Whether it can be run. */
  readonly runs?: boolean;
  readonly data: Buffer;
}

/**
 * Every folder that the entries lie in and every entry, each folder before what is in it, sorted by octets: the same
 * set gives the same list.
 */
export function inOrder(entries: readonly Entry[]): readonly (Entry | { readonly folder: string })[] {
  const folders = new Set(
    entries.flatMap(({ path }) => path.split('/').map((_, i, parts) => parts.slice(0, i).join('/'))),
  );
  folders.delete('');
  const all = [...entries, ...[...folders].map((folder) => ({ folder }))];
  const name = (one: (typeof all)[number]) => ('folder' in one ? `${one.folder}/` : one.path);
  return all.toSorted((a, b) => Buffer.compare(Buffer.from(name(a)), Buffer.from(name(b))));
}
