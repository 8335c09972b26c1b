import type { Question } from '../../../stream/guard.ts';
import type { OpenOperation } from '../../../stream/operations.ts';
import type { CanonicalRequest } from '../../request/canonical.ts';
import { asAllowed } from '../question.ts';
import type { ConnectionState } from '../state.ts';
import type { Carrying } from './carried.ts';

/** What is known of an upgrade that was allowed, of the connection over which it was asked for. */
export function carrying(
  state: ConnectionState,
  request: CanonicalRequest,
  { question, operation, signal }: { readonly question: Question } & Pick<Carrying, 'operation' | 'signal'>,
): Carrying {
  const { context, parts, outputs } = state;
  return {
    guard: context.guard,
    idle: context.idle,
    operation,
    question: asAllowed(question, operation as OpenOperation),
    paths: parts.api.pathsOf(request),
    signal,
    sight: () => state.sight(request),
    hides: () => state.hides(request),
    outputs,
  };
}
