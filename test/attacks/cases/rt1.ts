import { ATTACK_COLUMNS, ATTACK_FIXTURE, GUARDED } from '../../support/stack.ts';
import { type AttackGroup, leak } from '../attack.ts';

/** A statement that the gateway reads otherwise than the server does. */
export const RT1: readonly AttackGroup[] = [
  {
    id: 'RT1',
    scenario: { policy: GUARDED, sql: ATTACK_FIXTURE, columns: ATTACK_COLUMNS },
    attacks: [
      leak({
        case: 'an alias that a newer grammar reads as a keyword',
        majors: [15],
        steps: ['SELECT reverse(system_user::text) FROM customers AS "system_user"'],
        secret: '123-45-6789',
      }),
    ],
  },
];
