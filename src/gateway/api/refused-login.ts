import type { AuditLog } from '../../audit/event.ts';
import type { HoopError } from '../../core/errors.ts';
import { rescued } from '../../core/later.ts';
import type { Log } from '../../core/log.ts';
import type { RefusalBudget } from '../tunnel/refusal-budget.ts';

interface RefusedLoginDeps {
  readonly audit: Pick<AuditLog, 'append'>;
  readonly budget: RefusalBudget;
  readonly log: Log;
}

/** Records that somebody was not let in, within what strangers may write. Never rejects. */
export async function recordRefusedLogin(
  deps: RefusedLoginDeps,
  error: HoopError,
  address: string,
): Promise<void> {
  const suppressed = deps.budget.spend();
  if (suppressed === undefined) return;
  deps.log.info('login refused', { code: error.code, message: error.message, detail: error.detail, address });
  const event = { type: 'login.refused', reason: error.code, outcome: 'failure' } as const;
  const facts = { address, ...(suppressed > 0 ? { suppressed } : {}) };
  await rescued(
    () => deps.audit.append({ ...event, facts }),
    () => deps.log.error('a refused login could not be recorded'),
  );
}
