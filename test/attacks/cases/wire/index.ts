/** PG-W: the wire itself, by bare sockets through a real tunnel. Policy permits everything, unless a case changes it. */
import { ATTACK_FIXTURE } from '../../../support/stack.ts';
import type { AttackGroup } from '../../attack.ts';
import { MESSAGES } from './messages.ts';
import { SESSIONS } from './sessions.ts';
import { START } from './start.ts';
import { ELSEWHERE, resources, TARGET } from './target.ts';

const FIXTURE = `${ATTACK_FIXTURE}
CREATE TABLE ran (what text);
GRANT ALL ON ran TO hoop;
`;

export const PG_W: readonly AttackGroup[] = [
  {
    id: 'PG-W',
    scenario: {
      sql: FIXTURE,
      superuser: true,
      settings: { log_connections: 'on' },
      listen: ELSEWHERE,
      resources,
    },
    attacks: [...START, ...TARGET, ...MESSAGES, ...SESSIONS],
  },
];
