import type { ContextKind, VocabularyPart } from '../../src/policy/vocabulary/row.ts';

/** No facts of its own: a request may still wait for approvals. */
const TALK: ContextKind = { type: 'EchoContext', facts: '', worstCase: {} };

/** What may be said, and of which topic. */
export const ECHO_VOCABULARY: VocabularyPart = {
  name: 'echo',
  entities: 'entity Topic in [Resource] = { name: String };\n',
  verbs: [{ verb: 'echo.say', on: ['Topic'], context: TALK }],
};
