import type { DiscoveryMachine } from '../../api/contract.ts';
import { claimsOf } from './jwt-expiry.ts';

/** Longest name that is told of a token, characters. */
const MAX_SHOWN = 200;

/**
 * Says what a machine's token lacks, as far as it says so itself: the gateway tells no stranger why it refused one.
 *
 * Pure. Reads what is written in the token and checks no signature.
 *
 * @param name Where the token came from, such as `HOOPCTL_TOKEN_FILE`; undefined: hoopctl has asked the platform for it.
 * @param machines What the gateway says it takes; empty: it is not known.
 * @returns Undefined: nothing is wrong that could be seen here.
 */
export function tokenCure(
  name: string | undefined,
  token: string,
  machines: readonly DiscoveryMachine[],
  nowMs: number,
): string | undefined {
  const { iss, aud, exp } = claimsOf(token);
  if (typeof exp === 'number' && Number.isFinite(exp) && exp * 1000 < nowMs)
    return `it ended ${Math.ceil((nowMs - exp * 1000) / 1000)} s ago: ${name === undefined ? 'run the job again' : `put a new token into ${name}`}`;
  if (machines.length === 0) return undefined;
  const mine = machines.filter(({ issuer }) => issuer === iss);
  if (mine.length === 0)
    return `it ${typeof iss === 'string' ? `is of the issuer ${shown(iss)}` : 'names no issuer'}; this gateway takes machines' tokens of ${listed(machines.map((one) => one.issuer))}`;
  const wanted = mine.map(({ audience }) => audience);
  const given: readonly unknown[] = Array.isArray(aud) ? aud : [aud];
  return wanted.some((one) => given.includes(one))
    ? undefined
    : `its audience is ${given.map(shown).join(', ')}, and the gateway wants ${listed(wanted)}: ${name === undefined ? `have its operator write "preset: github-actions" for this issuer` : 'ask the platform for a token with that one'}`;
}

/**
 * Says how a job gets its token, where the environment tells the platform and no token. Pure.
 *
 * @returns Undefined: no job of a platform that is known.
 */
export function missingTokenCure(env: NodeJS.ProcessEnv): string | undefined {
  if (env['GITHUB_ACTIONS'] === 'true')
    return 'GitHub gives this job no token: write "permissions: { id-token: write }" into the workflow (a pull request from a fork gets none)';
  if (env['GITLAB_CI'] === 'true')
    return 'GitLab gives this job no token: write "id_tokens: { HOOPCTL_TOKEN: { aud: … } }" into the job, with the audience of the gateway\'s operator';
  return undefined;
}

function listed(names: readonly string[]): string {
  return [...new Set(names)].join(', ');
}

function shown(value: unknown): string {
  return typeof value === 'string' ? value.slice(0, MAX_SHOWN) : 'not named';
}
