import { HoopError } from '../core/errors.ts';
import { newId } from '../core/ids/make.ts';
import type { Revocation, RevocationKind, RevocationOwner } from '../storage/revocations.ts';
import { MAX_SESSION_MS } from './issuers/config.ts';

/** A revoked login or run is remembered this long, ms: longer than any sign-in can be configured to last. */
const LOGIN_REVOCATION_MS = 400 * 24 * 3_600_000;

/** 0: until it is lifted. */
const LASTS_MS: Readonly<Record<RevocationKind, number>> = {
  instance: MAX_SESSION_MS,
  login: LOGIN_REVOCATION_MS,
  run: LOGIN_REVOCATION_MS,
  agent: 0,
  person: 0,
  model: 0,
};

/** What to revoke: exactly one of these; `modelVersion` only narrows `model`. Models are matched if attested. */
export interface RevokeTarget {
  readonly instance?: string | undefined;
  readonly login?: string | undefined;
  /** Any name of it; with `owner` only that one's. */
  readonly run?: string | undefined;
  readonly owner?: RevocationOwner | undefined;
  readonly agent?: string | undefined;
  /** Name or subject. */
  readonly person?: string | undefined;
  readonly model?: string | undefined;
  readonly modelVersion?: string | undefined;
}

/**
 * Makes the revocation that a request asks for. An instance's lasts as long as its key could; a login's and a run's longer
 * than any sign-in can be configured to last; the others stand until they are lifted.
 *
 * @param target Exactly one of instance, login, run, agent, person, model.
 * @param now ms since the epoch.
 * @returns A new revocation, not yet in force.
 * @throws {HoopError} `ERR_USAGE` none or several of these, or a value of 0 or more than 256 characters.
 * @see https://www.rfc-editor.org/rfc/rfc7009#section-2.1
 */
export function revocationOf(target: RevokeTarget, now: number): Revocation {
  const { instance, login, run, owner, agent, person, model, modelVersion } = target;
  const given = Object.entries({ instance, login, run, agent, person, model }).filter(
    ([, value]) => value !== undefined,
  );
  const [first] = given;
  const wrong = (what: string) => new HoopError('ERR_USAGE', `a revocation ${what}`);
  if (first === undefined || given.length > 1) {
    throw wrong('names exactly one of instance, login, run, agent, person and model');
  }
  if (modelVersion !== undefined && model === undefined) throw wrong('of a version names its model, too');
  if (owner !== undefined && run === undefined) throw wrong('has an owner only where it names a run');
  const [kind, value = ''] = first as [RevocationKind, string];
  if ([value, modelVersion ?? '-'].some((text) => text === '' || text.length > 256)) {
    throw wrong('names something of 1 to 256 characters');
  }
  const lasts = LASTS_MS[kind];
  return {
    id: newId('rev', now),
    kind,
    value,
    ...(modelVersion === undefined ? {} : { modelVersion }),
    ...(owner === undefined ? {} : { owner }),
    at: now,
    ...(lasts === 0 ? {} : { until: now + lasts }),
  };
}
