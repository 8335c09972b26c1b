/**
 * Tokens of machines: from the environment, from a file, from the CI platform.
 */

import { readFile } from 'node:fs/promises';
import type { Agent } from 'node:http';
import { type DiscoveryMachine, TOKEN_TYPES } from '../../api/contract.ts';
import { systemClock } from '../../core/clock.ts';
import { HoopError } from '../../core/errors.ts';
import { codeOf } from '../network/errors.ts';
import { OriginAgent, readBody, send } from '../network/http.ts';
import type { Network } from '../network/network.ts';
import { clientCredentialsSource } from './client-credentials.ts';
import type { SubjectSource } from './credential.ts';
import { issuerFetch } from './issuer-client.ts';
import { tokenCure } from './token-cure.ts';

/** The gateway itself takes 16 KiB, and says so; what is longer would not even fit into a request to it. */
const MAX_TOKEN_BYTES = 48 * 1024;

export interface MachineOptions {
  readonly env: NodeJS.ProcessEnv;
  /** The gateway's address: the audience where it says no other. */
  readonly origin: string;
  readonly network: Network;
  /** What the gateway says of machines. */
  readonly machines: () => Promise<readonly DiscoveryMachine[]>;
}

/**
 * Picks the machine's token, if the environment names one. Asks for nothing yet.
 *
 * Order: `HOOPCTL_TOKEN`, `HOOPCTL_TOKEN_FILE`, `HOOPCTL_CLIENT_ID`, GitHub Actions' own (`permissions: id-token:
 * write`), which is asked for with the audience that the gateway names. A stored login comes after all of these: a job
 * must not act as a person who once logged in on its machine.
 *
 * @returns `undefined` if the environment has none.
 */
export function machineSource(options: MachineOptions): SubjectSource | undefined {
  const { env, network, machines } = options;
  const cures = (name: string) => async (token: string) =>
    tokenCure(name, token, await machines().catch(() => []), systemClock.now());
  if (env['HOOPCTL_TOKEN'])
    return { ...environmentSource(env['HOOPCTL_TOKEN']), cure: cures('HOOPCTL_TOKEN') };
  if (env['HOOPCTL_TOKEN_FILE'])
    return { ...fileSource(env['HOOPCTL_TOKEN_FILE']), cure: cures('HOOPCTL_TOKEN_FILE') };
  const clientId = env['HOOPCTL_CLIENT_ID'];
  if (clientId) return clientCredentialsSource(clientId, { env, machines, fetch: issuerFetch(network) });
  const { ACTIONS_ID_TOKEN_REQUEST_URL: url, ACTIONS_ID_TOKEN_REQUEST_TOKEN: token } = env;
  return url && token ? actionsSource(url, token, options) : undefined;
}

function environmentSource(token: string): SubjectSource {
  return {
    name: 'HOOPCTL_TOKEN',
    get: async () => ({ token: clean(token, 'HOOPCTL_TOKEN'), type: TOKEN_TYPES.jwt }),
  };
}

/** Read anew at each renewal: platforms such as Kubernetes rotate the file. */
function fileSource(path: string): SubjectSource {
  return {
    name: 'HOOPCTL_TOKEN_FILE',
    async get() {
      const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
        throw new HoopError(
          'ERR_NOT_LOGGED_IN',
          `HOOPCTL_TOKEN_FILE cannot be read: ${path} (${error.code})`,
          { hint: 'name the file that the platform puts the token into, readable for this user' },
        );
      });
      return { token: clean(text, 'HOOPCTL_TOKEN_FILE'), type: TOKEN_TYPES.jwt };
    },
  };
}

/** GitHub's where the gateway says which issuer that is, and else the one that all of them want. */
function audienceAmong(machines: readonly DiscoveryMachine[]): string | undefined {
  const github = machines.find(({ preset }) => preset === 'github-actions');
  const all = new Set(machines.map(({ audience }) => audience));
  return github?.audience ?? (all.size === 1 ? machines[0]?.audience : undefined);
}

/** @see https://docs.github.com/actions/reference/security/oidc */
function actionsSource(address: string, bearer: string, options: MachineOptions): SubjectSource {
  const { network, origin, machines } = options;
  let audience: string | undefined;
  return {
    name: 'the GitHub Actions token',
    cure: async (given) => tokenCure(undefined, given, await machines().catch(() => []), systemClock.now()),
    async get(signal) {
      const url = new URL(address);
      audience ??= audienceAmong(await machines()) ?? origin;
      url.searchParams.set('audience', audience);
      const agent: Agent = new OriginAgent(url, (to, abort) => network.connectIssuer(to, abort), {
        keepAlive: false,
      });
      const headers = { authorization: `Bearer ${bearer}`, accept: 'application/json' };
      try {
        const answer = await send(agent, { method: 'GET', url, headers, ...(signal ? { signal } : {}) });
        const value = JSON.parse(await readBody(answer, MAX_TOKEN_BYTES)) as { value?: unknown };
        if (typeof value.value === 'string') return { token: value.value, type: TOKEN_TYPES.jwt };
      } catch (error) {
        throw new HoopError('ERR_ISSUER_UNREACHABLE', 'GitHub Actions gave no token', {
          hint: `its token service at ${url.host} did not answer as it should (${codeOf(error) || 'no JSON'}): run the job again; a runner of your own needs the way there`,
          cause: error,
        });
      }
      throw new HoopError('ERR_NOT_LOGGED_IN', 'GitHub Actions gave no token', {
        hint: 'the job needs: permissions: id-token: write',
      });
    },
  };
}

/** A JWT is three parts of base64url; anything else would be sent to the gateway for nothing. */
function clean(text: string, name: string): string {
  const token = text.trim();
  if (token.length > MAX_TOKEN_BYTES)
    throw new HoopError('ERR_TOKEN_TOO_LARGE', `${name} is longer than ${MAX_TOKEN_BYTES / 1024} KiB`, {
      hint: 'have its issuer put only what matters at the gateway into it',
    });
  if (/^[\w-]+\.[\w-]+\.[\w-]+$/.test(token)) return token;
  throw new HoopError('ERR_NOT_LOGGED_IN', `${name} holds no JWT`, {
    hint: 'three parts with dots between them, as the issuer gives it, without quotes and without "Bearer"',
  });
}
