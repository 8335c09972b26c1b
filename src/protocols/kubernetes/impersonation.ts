import type { Principal } from '../../identity/principal.ts';
import type { Field } from '../http/request/fields/read-fields.ts';

/** As whom a cluster is asked, as it is configured: texts with `{name}`, `{person}` and `{group}` in them. */
export interface Impersonation {
  readonly user: string;
  /** Once for each group; undefined: none. */
  readonly groups?: string | undefined;
}

/** `hoop:{name}`: something stands before it, so that no name that somebody has is one of the cluster's own. */
const USER = /^(?!system:)[a-z0-9][a-z0-9.-]{0,62}:[A-Za-z0-9.:@{}/_-]{0,190}$/;
const PLACES = /\{([^{}]*)\}/g;

/** Whether all that is named in a text is known, and a text of the configuration's own stands before it. Pure. */
export function isImpersonated(text: string, known: readonly string[]): boolean {
  const [before = ''] = text.split('{');
  const named = [...text.matchAll(PLACES)].map(([, name]) => name!);
  const rest = text.replace(PLACES, '');
  return (
    USER.test(text) &&
    before.includes(':') &&
    !/[{}]/.test(rest) &&
    named.includes(known[0]!) &&
    named.every((name) => known.includes(name))
  );
}

/**
 * The headers by which the cluster is told on whose authority it is asked: what identity providers and the registry of agents
 * attest, and nothing that clients say. Pure.
 *
 * @see https://kubernetes.io/docs/reference/access-authn-authz/authentication/#user-impersonation
 */
export function impersonated({ user, groups }: Impersonation, principal: Principal): readonly Field[] {
  const { name, person } = principal;
  const values = { name, person: person?.name ?? name };
  const all = groups === undefined ? [] : [...new Set(principal.groups)];
  return [
    ['impersonate-user', filled(user, values)],
    ...all.map((group): Field => ['impersonate-group', filled(groups!, { group })]),
  ];
}

/** What is no visible character of ASCII is percent-encoded: two that differ stay two. */
function filled(text: string, values: Readonly<Record<string, string>>): string {
  return text.replace(PLACES, (_all, name: string) =>
    values[name]!.toWellFormed().replace(/[^\x21-\x24\x26-\x7e]/gu, encodeURIComponent),
  );
}
