/**
 * Device login: a code here, a browser anywhere.
 */
import type { DeviceAuthorizationResponse } from 'openid-client';
import type { DiscoveryIssuer } from '../../api/contract.ts';
import type { Clock } from '../../core/clock.ts';
import { HoopError } from '../../core/errors.ts';
import { codeOf, isAbort } from '../network/errors.ts';
import { discoverIssuer, explainIssuerFailure, type Fetch } from './issuer-client.ts';
import { expiryOf } from './jwt-expiry.ts';
import type { StoredLogin } from './stored-login.ts';

/** What the person needs to see. */
export interface DeviceCode {
  readonly verificationUri: string;
  readonly verificationUriComplete?: string;
  readonly userCode: string;
  /** Ms since the epoch. */
  readonly expiresAt: number;
}

export interface DeviceLoginOptions {
  readonly client: DiscoveryIssuer;
  readonly fetch: Fetch;
  readonly clock: Clock;
  readonly show: (code: DeviceCode) => void;
  /** Told once per outage while waiting. */
  readonly onOutage?: () => void;
  readonly signal: AbortSignal;
}

/** Between two tries while the provider cannot be reached, ms. */
const OUTAGE_WAIT_MS = 2_000;

/**
 * Signs a person in by the device authorization grant. Nothing is stored here.
 *
 * Polls at the provider's pace (`slow_down` adds five seconds) and through losses of the network until the code ends.
 *
 * @throws {HoopError} `ERR_LOGIN_DENIED`, `ERR_LOGIN_EXPIRED` (nobody entered the code), `ERR_ISSUER_UNREACHABLE`.
 * @throws the signal's reason when aborted.
 * @see RFC 8628 §3
 */
export async function deviceLogin(options: DeviceLoginOptions): Promise<StoredLogin> {
  const { client, clock, signal } = options;
  const configuration = await abortable(discoverIssuer(client, options.fetch), signal);
  if (configuration.serverMetadata().device_authorization_endpoint === undefined) {
    throw new HoopError('ERR_CONFIG', `the identity provider ${client.issuer} has no login by device code`, {
      hint: 'log in at another one with --issuer, or have the operator switch the device grant on',
    });
  }
  const library = await import('openid-client');
  try {
    const device = await abortable(
      library.initiateDeviceAuthorization(configuration, { scope: client.scope }),
      signal,
    );
    options.show(deviceCode(device, client.issuer, clock.now()));
    const expiry = AbortSignal.timeout(device.expires_in * 1000);
    const until = AbortSignal.any([signal, expiry]);
    configuration[library.customFetch] = throughOutages(options, until);
    // Ours bounds each request; the library's would end the wait for the network.
    configuration.timeout = device.expires_in;
    const poll = library.pollDeviceAuthorizationGrant(configuration, device, undefined, { signal: until });
    const answer = await abortable(poll, until).catch((error: unknown) => {
      throw expiry.aborted ? Object.assign(new Error('expired'), { error: 'expired_token' }) : error;
    });
    return toLogin(client, answer.id_token, answer.refresh_token, clock.now());
  } catch (error) {
    signal.throwIfAborted();
    throw explainIssuerFailure(error, client.issuer);
  }
}

function deviceCode(device: DeviceAuthorizationResponse, issuer: string, nowMs: number): DeviceCode {
  const complete = device.verification_uri_complete;
  for (const link of [device.verification_uri, complete]) {
    if (link !== undefined && !/^https?:\/\/[\x21-\x7e]+$/.test(link)) {
      throw new HoopError(
        'ERR_ISSUER_UNREACHABLE',
        `the identity provider ${issuer} gave a link that is none`,
      );
    }
  }
  return {
    verificationUri: device.verification_uri,
    ...(complete === undefined ? {} : { verificationUriComplete: complete }),
    userCode: device.user_code,
    expiresAt: nowMs + device.expires_in * 1000,
  };
}

/** Repeats a poll that the network swallowed: asking twice with one device code does no harm. */
function throughOutages(options: DeviceLoginOptions, until: AbortSignal): Fetch {
  return async (url, request) => {
    for (let told = false; ; told = true) {
      try {
        return await options.fetch(url, request);
      } catch (error) {
        if (until.aborted || isAbort(error) || codeOf(error) === '') throw error;
        if (!told) options.onOutage?.();
        await abortable(new Promise((resolve) => setTimeout(resolve, OUTAGE_WAIT_MS)), until);
      }
    }
  };
}

function toLogin(
  client: DiscoveryIssuer,
  idToken: string | undefined,
  refreshToken: string | undefined,
  nowMs: number,
): StoredLogin {
  if (idToken === undefined) {
    throw new HoopError('ERR_ISSUER_UNREACHABLE', `the identity provider ${client.issuer} gave no ID token`, {
      hint: "the gateway's configuration must ask for the scope openid",
    });
  }
  return {
    version: 1,
    client,
    idToken,
    ...(refreshToken === undefined ? {} : { refreshToken }),
    obtainedAt: nowMs,
    expiresAt: expiryOf(idToken),
  };
}

/** openid-client looks at its signal every five seconds; Ctrl-C must not wait for that. */
function abortable<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) return abort();
    signal.addEventListener('abort', abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
