/** Every rule and error by which something is refused, with where a scripted agent meets it. */
import type { ErrorCode } from '../../../../src/core/errors.ts';
import { type NextStep, stepAfter } from '../../../../src/core/next-step.ts';
import { GENERAL_REFUSALS, type RefusalRule } from '../../../../src/enforcement/refusals.ts';
import { HTTP_REFUSALS } from '../../../../src/protocols/http/refusals.ts';
import { KUBERNETES_REFUSALS } from '../../../../src/protocols/kubernetes/request/refusals.ts';
import { POSTGRES_REFUSALS } from '../../../../src/protocols/postgres/refusals.ts';
import { SSH_REFUSALS } from '../../../../src/protocols/ssh/refusals.ts';
import { CODE_KINDS } from './codes.ts';
import { GENERAL_KINDS } from './general.ts';
import { HTTP_KINDS } from './http.ts';
import type { Kind, Situation } from './kind.ts';
import { KUBERNETES_KINDS } from './kubernetes.ts';
import { POSTGRES_KINDS } from './postgres.ts';
import { SSH_KINDS } from './ssh.ts';

export const KINDS: Readonly<Record<string, Kind>> = {
  ...GENERAL_KINDS,
  ...POSTGRES_KINDS,
  ...HTTP_KINDS,
  ...SSH_KINDS,
  ...KUBERNETES_KINDS,
  ...CODE_KINDS,
};

/** Every rule of ours, as the code refuses by them. */
export const RULES: Readonly<Record<string, RefusalRule>> = {
  ...GENERAL_REFUSALS,
  ...POSTGRES_REFUSALS,
  ...HTTP_REFUSALS,
  ...SSH_REFUSALS,
  ...KUBERNETES_REFUSALS,
};

/** What the list says that follows. @param kind A rule or the code of an error. */
export function stepOf(kind: string): NextStep {
  return RULES[kind]?.next ?? stepAfter(kind as ErrorCode);
}

export const SITUATIONS: readonly (readonly [string, NextStep, Situation])[] = Object.entries(KINDS).flatMap(
  ([kind, one]) => ('refused' in one ? [[kind, stepOf(kind), one] as const] : []),
);
