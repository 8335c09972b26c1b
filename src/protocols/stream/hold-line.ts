import { visible } from '../../core/visible.ts';
import type { Hold } from '../../enforcement/operation.ts';

/** That it waits, for whom, and until when. Pure. */
export function holdLine({ id, approvals, waitsUntil, page }: Hold): string {
  const whom = approvals.map((name) => JSON.stringify(name)).join(' and ');
  const where = page === undefined ? '' : `; ${page}`;
  return visible(
    `waits until ${new Date(waitsUntil).toISOString()} for the approval of ${whom}: ${id}${where}`,
  );
}
