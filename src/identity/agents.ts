import { HoopError } from '../core/errors.ts';
import { isPlain } from '../core/visible.ts';
import { claimAt, own } from './issuers/claims.ts';
import type { Person } from './principal.ts';
import type { VerifiedSubject } from './subject.ts';

/** One entry of `agents:`. At least one of `delegators` and `match` must be there. */
export interface AgentConfig {
  /** Who may act as this agent after signing in as themselves: members of a group, or single persons by name. */
  readonly delegators?:
    | { readonly groups?: readonly string[] | undefined; readonly persons?: readonly string[] | undefined }
    | undefined;
  /** Which machine tokens are this agent: every claim (or JSON Pointer) must be exactly the value, or one of the values. */
  readonly match?:
    | { readonly issuer: string; readonly claims: Readonly<Record<string, string | readonly string[]>> }
    | undefined;
  /** The agent's own groups, for policies. */
  readonly groups?: readonly string[] | undefined;
}

/** Who acts: what of the principal follows from the registry. */
export interface ResolvedActor {
  readonly kind: 'agent' | 'person';
  readonly name: string;
  readonly groups: readonly string[];
  readonly person?: Person;
}

/**
 * Jobs that a pull or merge request starts can run its author's code, some with the base branch's own `ref`. They match
 * an agent only if its entry names the claim that says so itself.
 */
const UNTRUSTED_EVENTS: Readonly<Record<string, readonly unknown[]>> = {
  event_name: ['pull_request', 'pull_request_target'],
  pipeline_source: ['merge_request_event', 'external_pull_request_event'],
};

const NO_GROUPS_HINT =
  'if groups were there at the sign-in, the identity provider leaves them out when it refreshes: run hoopctl login, and ' +
  'have its operator put them into refreshed ID tokens too; if you are in no group any more, ask for one';
const UNKNOWN_HINT =
  'leave the agent out to act as yourself, or ask the operator to list you under this agent';

/** Agents of a person's own that are named in a hint. */
const MAX_TOLD = 8;
const UNMATCHED_HINT =
  "ask the operator to compare the claims of this token with the match of the agent: the gateway's log says what differs; a job of " +
  'a pull or merge request matches only where event_name or pipeline_source is named';

/** The agents that exist. Immutable: a reload makes a new one. */
export class AgentRegistry {
  readonly #agents: ReadonlyMap<string, AgentConfig>;

  /**
   * Checks that every entry can be used safely.
   *
   * @param agents Name → entry.
   * @throws {HoopError} `ERR_CONFIG` a name is not plain, nobody could act as the agent, or its match names no claim
   *   and would take every token of the issuer.
   * @see https://www.rfc-editor.org/rfc/rfc8693#section-4.1
   */
  constructor(agents: Readonly<Record<string, AgentConfig>>) {
    for (const [name, { delegators, match }] of Object.entries(agents)) {
      const wrong = (what: string) => new HoopError('ERR_CONFIG', `agent ${JSON.stringify(name)}: ${what}`);
      if (!isPlain(name)) throw wrong('the name must be plain text of at most 256 characters');
      if (delegators === undefined && match === undefined) throw wrong('nobody could act as it');
      if (match !== undefined && Object.keys(match.claims).length === 0) throw wrong('match names no claim');
    }
    this.#agents = new Map(Object.entries(agents));
  }

  /**
   * Says as whom a verified subject acts. A name counts only if the registry grants it to this subject.
   *
   * Pure. A person (ID token) acts as themselves or, by delegation, as an agent; a machine (JWT) as an agent whose
   * match its claims meet: each claim exactly equal, no wildcard, no prefix.
   *
   * @param subject From `IssuerRegistry.verifySubjectToken`.
   * @param requestedAgent Name the caller asks for; undefined: the person, or the one agent that the token matches.
   * @returns The actor; with `person` whenever a person stands behind it.
   * @throws {HoopError} `ERR_AGENT_UNKNOWN` no such agent or not for this subject (the same answer for both), or a
   *   machine's token matches none or several and names none.
   * @see https://www.rfc-editor.org/rfc/rfc8693#section-1.1
   */
  resolve(subject: VerifiedSubject, requestedAgent: string | undefined): ResolvedActor {
    return subject.type === 'id_token'
      ? this.resolvePerson(personOf(subject), requestedAgent)
      : this.#resolveMachine(subject, requestedAgent);
  }

  /**
   * The person's half of `resolve`, also for renewals where the person is known from an earlier token.
   *
   * @param person From verified claims.
   * @param requestedAgent Name, or undefined for the person themselves.
   * @returns The actor.
   * @throws {HoopError} `ERR_AGENT_UNKNOWN` no such agent, or the person may not delegate to it; `ERR_GROUPS_MISSING` the
   *   same, of a person without any group.
   * @see https://www.rfc-editor.org/rfc/rfc8693#section-4.1
   */
  resolvePerson(person: Person, requestedAgent: string | undefined): ResolvedActor {
    if (requestedAgent === undefined)
      return { kind: 'person', name: person.name, groups: person.groups, person };
    const agent = this.#agents.get(requestedAgent);
    if (agent === undefined || !mayDelegate(person, agent)) {
      // Whether there is such an agent is not told by this either.
      if (person.groups.length === 0)
        throw new HoopError('ERR_GROUPS_MISSING', undefined, { hint: NO_GROUPS_HINT });
      throw new HoopError('ERR_AGENT_UNKNOWN', undefined, {
        hint: this.#unknownHint(person),
      });
    }
    return { kind: 'agent', name: requestedAgent, groups: agent.groups ?? [], person };
  }

  /**
   * Says whether a machine that was this agent still is, for renewals without a fresh token: the agent must still be
   * given to machines of the same issuer. Its claims were compared when the token was.
   *
   * @param name Agent.
   * @param issuer The machine token's issuer.
   * @returns The actor.
   * @throws {HoopError} `ERR_AGENT_UNKNOWN` the agent was removed, or moved to another issuer.
   * @see https://www.rfc-editor.org/rfc/rfc8693#section-2.1
   */
  resolveKnownMachine(name: string, issuer: string): ResolvedActor {
    const agent = this.#agents.get(name);
    if (agent?.match?.issuer !== issuer) throw new HoopError('ERR_AGENT_UNKNOWN');
    return { kind: 'agent', name, groups: agent.groups ?? [] };
  }

  /** Whoever has signed in is told which agents are theirs, and of no other: the same words whatever was asked for. */
  #unknownHint(person: Person): string {
    const theirs = [...this.#agents].filter(([, agent]) => mayDelegate(person, agent)).map(([name]) => name);
    if (theirs.length === 0) return UNKNOWN_HINT;
    const more = theirs.length > MAX_TOLD ? ', …' : '';
    return `you may act as ${theirs.slice(0, MAX_TOLD).join(', ')}${more}; ${UNKNOWN_HINT}`;
  }

  #resolveMachine(subject: VerifiedSubject, requestedAgent: string | undefined): ResolvedActor {
    const matching = [...this.#agents].filter(([, agent]) => matches(subject, agent));
    const names = matching.map(([name]) => name);
    const wanted = requestedAgent ?? (names.length === 1 ? names[0] : undefined);
    const found = matching.find(([name]) => name === wanted);
    if (found !== undefined) return { kind: 'agent', name: found[0], groups: found[1].groups ?? [] };
    if (requestedAgent === undefined && names.length > 1) {
      throw new HoopError('ERR_AGENT_UNKNOWN', 'this token may act as several agents', {
        hint: `choose one with --agent: ${names.join(', ')}`,
      });
    }
    const text = requestedAgent === undefined ? 'no agent of the gateway has this identity' : undefined;
    throw new HoopError('ERR_AGENT_UNKNOWN', text, {
      hint: UNMATCHED_HINT,
      detail: whyUnmatched(subject, [...this.#agents], requestedAgent),
    });
  }
}

/** Agents that are told of, and characters of a value. */
const MOST_AGENTS = 3;
const MOST_CHARS = 100;

/** For the operator alone: whoever was not let in would learn from it what there is. */
function whyUnmatched(
  subject: VerifiedSubject,
  agents: readonly (readonly [string, AgentConfig])[],
  requested: string | undefined,
): string {
  const who = `${said(subject.subject)} of ${said(subject.issuer)}`;
  const near = agents
    .filter(([, { match }]) => match?.issuer === subject.issuer)
    .filter(([name]) => requested === undefined || name === requested)
    .map(([name, { match }]) => ({ name, differing: differing(subject, match!.claims) }))
    .toSorted((a, b) => a.differing.length - b.differing.length);
  if (near.length === 0)
    return `${who}: ${requested === undefined ? 'no agent' : 'no such agent'} is for this issuer`;
  const told = near.slice(0, MOST_AGENTS).map(({ name, differing: all }) => `${name}: ${all.join(', ')}`);
  return `${who} is not ${told.join('; not ')}`;
}

function differing(subject: VerifiedSubject, wanted: NonNullable<AgentConfig['match']>['claims']): string[] {
  const event = untrustedEvent(subject, wanted);
  const others = Object.entries(wanted).flatMap(([claim, values]) => {
    const value = claimAt(subject.claims, claim);
    return meets(value, values)
      ? []
      : [`${claim} is ${said(value)}, not ${[values].flat().map(said).join(' or ')}`];
  });
  return event === undefined
    ? others
    : [`${event} is ${said(own(subject.claims, event))}, which the match must name`, ...others];
}

function said(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value.slice(0, MOST_CHARS)) : 'no text';
}

function personOf(subject: VerifiedSubject): Person {
  return { issuer: subject.issuer, subject: subject.subject, name: subject.name, groups: subject.groups };
}

function mayDelegate(person: Person, agent: AgentConfig): boolean {
  const { groups = [], persons = [] } = agent.delegators ?? {};
  return persons.includes(person.name) || groups.some((group) => person.groups.includes(group));
}

function matches(subject: VerifiedSubject, agent: AgentConfig): boolean {
  const { match } = agent;
  if (match === undefined || match.issuer !== subject.issuer) return false;
  if (untrustedEvent(subject, match.claims) !== undefined) return false;
  return Object.entries(match.claims).every(([claim, wanted]) =>
    meets(claimAt(subject.claims, claim), wanted),
  );
}

function meets(value: unknown, wanted: string | readonly string[]): boolean {
  return (
    typeof value === 'string' && (typeof wanted === 'string' ? value === wanted : wanted.includes(value))
  );
}

/** The claim by which the job says that others' code runs in it, where the match does not name it. */
function untrustedEvent(
  subject: VerifiedSubject,
  wanted: Readonly<Record<string, unknown>>,
): string | undefined {
  return Object.entries(UNTRUSTED_EVENTS).find(
    ([claim, events]) => events.includes(own(subject.claims, claim)) && !Object.hasOwn(wanted, claim),
  )?.[0];
}
