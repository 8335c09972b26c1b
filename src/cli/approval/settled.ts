import type { ApprovalItem } from '../../api/approvals.ts';
import type { GatewayApi } from '../../client/gateway-api.ts';
import type { Clock } from '../../core/clock.ts';

/** Seconds that the gateway holds one answer back: shorter than what proxies on the way hold. */
export const POLL_S = 20;

/** Asks until it is decided, or the time is over; then it is still pending. @throws {HoopError} As `GatewayApi.approval`. */
export async function settled(
  api: GatewayApi,
  id: string,
  untilMs: number,
  clock: Clock,
): Promise<ApprovalItem> {
  for (;;) {
    const seconds = Math.ceil((untilMs - clock.now()) / 1000);
    if (seconds < 1) return api.approval(id);
    const item = await api.approval(id, Math.min(POLL_S, seconds));
    if (item.status !== 'pending') return item;
  }
}

/** What `--wait` ends with. */
export function exitCodeOf({ status }: ApprovalItem): number {
  if (status === 'approved') return 0;
  return status === 'denied' ? 77 : 75;
}
