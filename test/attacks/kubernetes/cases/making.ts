/** What requests that make something have in common. */
import type { Asked } from '../world.ts';

export const NS = '/api/v1/namespaces/NS';
/** At a real server nothing is kept of it. */
export const DRY = '?dryRun=All';

export const named = (name: string) => ({ metadata: { name } });

export const post = (target: string, body: unknown): Asked => ({
  method: 'POST',
  target: target + DRY,
  body: typeof body === 'string' ? body : JSON.stringify(body),
});
