/** Writes ustar archives that depend on nothing but what is in them. Pure. */
import { type Entry, inOrder } from './entries.ts';

const BLOCK = 512;
/** What GNU tar pads an archive to: twenty blocks. */
const RECORD = 20 * BLOCK;

/**
 * An archive of these entries and their folders: owner root, 0644 or 0755, all of one time.
 *
 * @param root Goes before every path: `hoopctl-1.0.0`, or `.`.
 * @param seconds Since 1970.
 * @throws {Error} for a path that does not fit: 100 octets, or 155 and a slash before them.
 */
export function tar(entries: readonly Entry[], root: string, seconds: number): Buffer {
  const parts: Buffer[] = [header(`${root}/`, '5', 0, 0o755, seconds)];
  for (const one of inOrder(entries)) {
    if ('folder' in one) {
      parts.push(header(`${root}/${one.folder}/`, '5', 0, 0o755, seconds));
      continue;
    }
    const { path, data, runs } = one;
    const gap = (BLOCK - (data.length % BLOCK)) % BLOCK;
    parts.push(header(`${root}/${path}`, '0', data.length, runs ? 0o755 : 0o644, seconds));
    parts.push(data, Buffer.alloc(gap));
  }
  parts.push(Buffer.alloc(2 * BLOCK));
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  return Buffer.concat([...parts, Buffer.alloc((RECORD - (length % RECORD)) % RECORD)]);
}

/** @see https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html#tag_20_92_13_06 */
function header(path: string, type: '0' | '5', size: number, mode: number, seconds: number): Buffer {
  const block = Buffer.alloc(BLOCK);
  const [prefix, name] = split(path);
  const octal = (value: number, at: number, width: number) =>
    block.write(`${value.toString(8).padStart(width - 1, '0')}\0`, at);
  block.write(name, 0);
  octal(mode, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(size, 124, 12);
  octal(seconds, 136, 12);
  block.write('        ', 148);
  block.write(type, 156);
  block.write('ustar\x0000', 257);
  block.write('root', 265);
  block.write('root', 297);
  block.write(prefix, 345);
  const sum = block.reduce((total, octet) => total + octet, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return block;
}

/** Into what goes before a slash, at most 155 octets, and the rest, at most 100. */
function split(path: string): [prefix: string, name: string] {
  if (Buffer.byteLength(path) <= 100) return ['', path];
  for (let at = path.indexOf('/'); at !== -1; at = path.indexOf('/', at + 1)) {
    const [prefix, name] = [path.slice(0, at), path.slice(at + 1)];
    if (name !== '' && Buffer.byteLength(prefix) <= 155 && Buffer.byteLength(name) <= 100)
      return [prefix, name];
  }
  throw new Error(`a path is too long for a tar archive: ${path}`);
}
