/** Paths as they really are at the target: absolute, no link within. Only the target knows them, so it is asked. */
import { isUtf8 } from 'node:buffer';
import { HoopError } from '../../../core/errors.ts';
import { FieldReader, string } from '../../../wire/ssh/fields.ts';
import { bodyOf, PACKET, packet, typeOf } from './packets.ts';
import type { NamedPath } from './request.ts';

const SLASH = 0x2f;
/** `PATH_MAX` of Linux, and more than any other system takes. */
const MAX_PATH_BYTES = 4096;

/** What the target said to a path: where it leads, or its own answer that it leads nowhere. */
type Resolved = { readonly path: Buffer } | { readonly answer: Buffer };

/** Asks the target `realpath` under an id that nobody else uses, and gives its answer. */
export type AskTarget = (request: (id: number) => Buffer) => Promise<Buffer>;

/** Whether a path can be named at all. Pure. */
export function isNameable({ raw }: NamedPath): boolean {
  return raw.length <= MAX_PATH_BYTES && !raw.includes(0) && isUtf8(raw);
}

/**
 * Resolves the paths of one request, each with what it depends on.
 *
 * @returns Where they lead, in the same order, or the target's answer to the first that leads nowhere.
 * @throws {HoopError} `ERR_TARGET_LOST` the target's answer is none, or names what cannot be a path.
 */
export async function resolved(
  paths: readonly NamedPath[],
  ask: AskTarget,
): Promise<Buffer[] | { answer: Buffer }> {
  const found: Buffer[] = [];
  for (const path of paths) {
    const one = await leading(path, paths.at(-1)!, ask);
    if ('answer' in one) return one;
    found.push(one.path);
  }
  return found;
}

/** @param link Where what a link says is relative to. */
async function leading({ raw, as }: NamedPath, link: NamedPath, ask: AskTarget): Promise<Resolved> {
  if (as === 'followed') return realpath(raw, ask);
  if (as === 'target') return realpath(raw[0] === SLASH ? raw : joined(parted(link.raw).parent, raw), ask);
  const { parent, name } = parted(raw);
  // The end of such a path is no entry of its own directory.
  if (/^\.{0,2}$/.test(name.toString('latin1'))) return realpath(raw, ask);
  const above = await realpath(parent, ask);
  return 'answer' in above ? above : { path: joined(above.path, name) };
}

async function realpath(path: Buffer, ask: AskTarget): Promise<Resolved> {
  const answer = await ask((id) => packet(PACKET.realpath, id, string(path)));
  if (typeOf(answer) === PACKET.status) return { answer };
  const fields = new FieldReader(bodyOf(answer));
  const [count, real] = [fields.uint32(), fields.string()];
  const known = typeOf(answer) === PACKET.name && count === 1 && isCanonical(real);
  if (!known) throw new HoopError('ERR_TARGET_LOST', 'the target does not say where a path leads');
  return { path: real };
}

/** Absolute, and no segment of it is empty, `.` or `..`. */
function isCanonical(path: Buffer): boolean {
  const text = path.toString('latin1');
  const plain = text === '/' || /^(?:\/(?!\.{0,2}(?:\/|$))[^/\0]+)+$/.test(text);
  return plain && path.length <= MAX_PATH_BYTES && isUtf8(path);
}

/** `a/b` → `a` and `b`; what has no slash lies where the session begins. */
function parted(raw: Buffer): { parent: Buffer; name: Buffer } {
  const at = raw.lastIndexOf(SLASH);
  if (at === -1) return { parent: Buffer.from('.'), name: raw };
  return { parent: raw.subarray(0, Math.max(at, 1)), name: raw.subarray(at + 1) };
}

function joined(parent: Buffer, name: Buffer): Buffer {
  const slash = parent.at(-1) === SLASH ? [] : [Buffer.of(SLASH)];
  return Buffer.concat([parent, ...slash, name]);
}
