import type { AttackGroup } from '../attack.ts';
import { RT9 } from './answers/rt9.ts';
import { RT10 } from './answers/rt10.ts';
import { RT11 } from './answers/rt11.ts';
import { RT11B } from './answers/rt11b.ts';
import { RT12 } from './answers/rt12.ts';
import { RT13 } from './answers/rt13.ts';
import { RT13_RESETS } from './answers/rt13-resets.ts';
import { RT14 } from './answers/rt14.ts';
import { RT16 } from './answers/rt16.ts';
import { RT19 } from './answers/rt19.ts';
import { RT20 } from './answers/rt20.ts';
import { RT1 } from './rt1.ts';
import { RT2 } from './rt2.ts';
import { RT3 } from './rt3.ts';
import { RT4 } from './rt4.ts';
import { RT4C } from './rt4c.ts';
import { RT5 } from './rt5.ts';
import { RT5_CHANCE } from './rt5-chance.ts';
import { RT6 } from './rt6.ts';
import { RT6_CODE } from './rt6-code.ts';
import { RT6_RESETS } from './rt6-resets.ts';
import { RT6B } from './rt6b.ts';
import { RT7 } from './rt7.ts';
import { RT8 } from './rt8.ts';
import { PG_APPROVALS } from './sheet/approvals.ts';
import { PG_S } from './sheet/guardrails.ts';
import { PG_M } from './sheet/masking.ts';
import { PG_M3_MEMBERS } from './sheet/members.ts';
import { RT18 } from './sheet/oracles.ts';
import { PG_M20 } from './sheet/pseudonyms.ts';
import { RT17 } from './text/rt17.ts';
import { PG_W } from './wire/index.ts';

/** Every group, in the order of the kinds. */
export const GROUPS: readonly AttackGroup[] = [
  ...RT1,
  ...RT2,
  ...RT3,
  ...RT4,
  ...RT4C,
  ...RT5,
  ...RT5_CHANCE,
  ...RT6,
  ...RT6_CODE,
  ...RT6B,
  ...RT6_RESETS,
  ...RT7,
  ...RT8,
  ...RT9,
  ...RT10,
  ...RT11,
  ...RT11B,
  ...RT12,
  ...RT13,
  ...RT13_RESETS,
  ...RT14,
  ...RT16,
  ...RT17,
  ...RT18,
  ...RT19,
  ...RT20,
  ...PG_S,
  ...PG_APPROVALS,
  ...PG_M,
  ...PG_M3_MEMBERS,
  ...PG_M20,
  ...PG_W,
];
