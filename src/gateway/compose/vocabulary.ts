import { GATEWAY_VOCABULARY } from '../../policy/vocabulary/gateway.ts';
import { Vocabulary } from '../../policy/vocabulary/index.ts';
import type { Protocol } from '../../protocols/protocol.ts';

/** The words of policies: hoopd's own, and those of each protocol that it speaks. */
export function composeVocabulary(protocols: readonly Pick<Protocol, 'vocabulary'>[]): Vocabulary {
  return new Vocabulary([GATEWAY_VOCABULARY, ...new Set(protocols.map(({ vocabulary }) => vocabulary))]);
}
