import { Readable } from 'node:stream';
import type { BulkMemory } from '../../../core/bytes/bulk-memory.ts';
import type { HoopError } from '../../../core/errors.ts';
import type { MaskedData } from '../../../enforcement/operation.ts';
import type { Principal } from '../../../identity/principal.ts';
import type { DetectorSet } from '../../../masking/detectors/index.ts';
import type { StreamContext } from '../../adapter.ts';
import type { CleanText } from '../../stream/for-people.ts';
import type { Outputs } from '../../stream/terminal/outputs.ts';
import type { CanonicalRequest, RequestRules } from '../request/canonical.ts';
import type { Field } from '../request/fields/read-fields.ts';
import type { TargetPlace } from '../request/response/own-reference.ts';
import type { RpcParts } from '../rpc/parts.ts';
import type { Classification } from '../shown/classification.ts';
import type { AnswerMasks } from '../shown/masks.ts';
import type { HttpTarget } from '../target/http-target.ts';
import type { Sight } from './answer-view.ts';
import type { Heads } from './heads.ts';
import type { ApiMeaning, Asks, Weighs } from './meaning.ts';
import type { Says } from './problem.ts';
import type { Questions } from './question.ts';
import type { Carried } from './upgrade/carried.ts';
import type { ToldBefore } from './upgrade/told-before.ts';

/** What connections of one resource share. */
export interface ConnectionParts {
  readonly target: HttpTarget;
  readonly rules: RequestRules;
  readonly place: TargetPlace;
  readonly api: ApiMeaning;
  readonly says: Says;
  /** Headers by which the target is told on whose authority it is asked; undefined: it is not told. */
  readonly behalf?: (principal: Principal) => readonly Field[];
  readonly rpc: RpcParts;
  readonly bulk: BulkMemory;
  /** What connections may be upgraded to, by name. */
  readonly upgrades: ReadonlyMap<string, Carried>;
  readonly told: ToldBefore;
  /** Of members and headers of answers. */
  readonly classification: Classification;
  /** Whether members may be shown by pseudonyms: verbs of HTTP say all that can be written. Absent: no. */
  readonly pseudonyms?: boolean;
  /** In force now. */
  readonly detectors: () => { readonly set: DetectorSet; readonly tags: readonly string[] };
}

/** What an exchange knows of its connection. */
export interface ConnectionState {
  readonly context: StreamContext;
  readonly parts: ConnectionParts;
  readonly clean: CleanText;
  readonly heads: Heads;
  readonly questions: Questions;
  /** What programs print, where the connection is upgraded to carry that. */
  readonly outputs: Outputs;
  /** How the answer to a request is shown to this principal, as policy is now. */
  sight(request: CanonicalRequest): Sight;
  /** What nobody is to read of a request in the recording. */
  hides(request: CanonicalRequest): AnswerMasks;
  /** Names, for people, of all that is masked for the client in the answer. */
  masked(request: CanonicalRequest): readonly MaskedData[];
  /** The session is over: what is said now is said last. */
  readonly ended: boolean;
  /** The session cannot go on. */
  over(reason: HoopError): void;
}

/** Tells the target on whose authority it is asked. Clients cannot say it themselves: of theirs none goes on. */
export function onBehalf({ parts, context }: ConnectionState, request: CanonicalRequest): CanonicalRequest {
  if (parts.behalf === undefined) return request;
  return { ...request, headers: [...request.headers, ...parts.behalf(context.guard.principal)] };
}

/** Asks the target for whoever is behind this connection. */
export function asking(state: ConnectionState, signal: AbortSignal): Asks {
  return (request, body) =>
    state.parts.target.request(
      onBehalf(state, request),
      request.body === 'none' ? undefined : Readable.from([body]),
      signal,
    );
}

/** Asks policy about whoever is behind this connection. */
export function weighing({ context, clean }: ConnectionState): Weighs {
  return (asked) => {
    const { pairs, context: facts } = asked(context.session.resource, clean);
    const [pair] = pairs;
    return { decision: context.guard.weighs(pairs, facts), ...(pair && { pair }) };
  };
}
