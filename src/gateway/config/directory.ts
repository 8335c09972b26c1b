import { isMap, isScalar, isSeq, parseDocument } from 'yaml';
import { isPlain } from '../../core/visible.ts';

/** Verified e-mail address in lower case → groups. */
export type Directory = ReadonlyMap<string, readonly string[]>;

const MAX_PEOPLE = 20_000;
const MAX_GROUPS = 500;
const EMAIL = /^[^\s@]{1,128}@[^\s@]{1,128}$/;

/**
 * Reads a directory file: a mapping from e-mail address to one group or a list of groups, as YAML or JSON.
 *
 * Pure. Addresses are compared without regard to case.
 *
 * @param text At most 1 MiB.
 * @returns The directory, or what is wrong with it: one text that names the address, if any.
 */
export function parseDirectory(text: string): Directory | string {
  const document = parseDocument(text, { prettyErrors: false });
  if (document.errors.length > 0) return 'is not valid YAML';
  const found = new Map<string, readonly string[]>();
  if (document.contents === null) return found;
  if (!isMap(document.contents)) return 'is no mapping from e-mail addresses to groups';
  if (document.contents.items.length > MAX_PEOPLE) return `names more than ${MAX_PEOPLE} people`;
  for (const { key, value } of document.contents.items) {
    const email = isScalar(key) && typeof key.value === 'string' ? key.value.toLowerCase() : '';
    if (!EMAIL.test(email))
      return `has a key that is no e-mail address: ${JSON.stringify(email).slice(0, 80)}`;
    if (found.has(email)) return `names ${email} twice`;
    const items: readonly unknown[] = isSeq(value) ? value.items : [value];
    const groups = items.map((item) => (isScalar(item) ? item.value : undefined));
    if (groups.length > MAX_GROUPS || !groups.every(isPlain)) return `gives ${email} no list of group names`;
    found.set(email, groups);
  }
  return found;
}
