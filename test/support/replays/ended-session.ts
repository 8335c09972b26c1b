import type { Stack } from '../stack.ts';
import { eventually } from '../waiting.ts';

/** The newest session, once it has ended. @param person Who may list sessions. @returns Its id. */
export function endedSession(stack: Stack, person: Readonly<Record<string, string>>): Promise<string> {
  return eventually('the session has ended', async () => {
    const { stdout } = await stack.hoopctl(['session', 'list', '--json'], person);
    const [listed] = stdout.split('\n').filter(Boolean);
    const { id, endedAt } = JSON.parse(listed ?? '{}') as { id?: string; endedAt?: string };
    return endedAt === undefined ? '' : (id ?? '');
  });
}
