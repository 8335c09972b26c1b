import { type Invocation, textOption } from './command.ts';
import { parseWhole } from './parse.ts';

const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 100_000;
/** The gateway gives no more at once. */
const PAGE = 1000;

/** How `--limit` is told, of lists that the gateway gives in pages. */
export const LIMIT_TEXT = `1 to ${MAX_LIMIT} (default ${DEFAULT_LIMIT})`;
export const OLDER_ONES = 'older ones match too: a greater --limit shows them';

export interface Page<T> {
  readonly items: readonly T[];
  /** Absent on the last page. */
  readonly next?: string | undefined;
}

/** What `--limit` says. @throws {HoopError} `ERR_USAGE` it is no such number. */
export function limitOf(invocation: Invocation): number {
  const given = textOption(invocation, 'limit') ?? String(DEFAULT_LIMIT);
  return parseWhole(given, '--limit', 1, MAX_LIMIT);
}

/**
 * Items of such a list, newest first.
 *
 * @param ask Gives one page, from where the one before ended.
 * @param limit How many at the most.
 * @param onMore Called where there are more.
 */
export async function* paged<T>(
  ask: (query: { readonly limit: string; readonly cursor?: string }) => Promise<Page<T>>,
  limit: number,
  onMore: () => void,
): AsyncGenerator<T> {
  let left = limit;
  for (let cursor: string | undefined; left > 0; ) {
    const size = String(Math.min(left, PAGE));
    const { items, next } = await ask({ limit: size, ...(cursor === undefined ? {} : { cursor }) });
    yield* items.slice(0, left);
    left -= items.length;
    cursor = next;
    if (cursor === undefined || items.length === 0) return;
  }
  onMore();
}
