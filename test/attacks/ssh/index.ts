import { S19 } from './cases/approvals.ts';
import { S3, S8, S9 } from './cases/channels.ts';
import { S1 } from './cases/commands.ts';
import { S4, S4_DROP, S4_MODES } from './cases/files.ts';
import { S5, S5_ALIASES } from './cases/forwards.ts';
import { S17 } from './cases/honest.ts';
import { S13, S16, S18, S18_KILLED } from './cases/hosts.ts';
import { S12_KEYS } from './cases/keys.ts';
import { S6, S6_LOOPBACK } from './cases/listening.ts';
import { S10, S11, S12 } from './cases/logins.ts';
import { S14 } from './cases/output.ts';
import { S15 } from './cases/replays.ts';
import { S2, S2_NONE } from './cases/shells.ts';
import { ofSsh } from './world.ts';

/** Every group, in the order of the kinds. */
const GROUPS = [
  S1,
  S2_NONE,
  S2,
  S3,
  S4,
  S4_DROP,
  S4_MODES,
  S5,
  S5_ALIASES,
  S6,
  S6_LOOPBACK,
  S8,
  S9,
  S10,
  S11,
  S12,
  S12_KEYS,
  ...S13,
  S14,
  S15,
  S16,
  S17,
  S18,
  S18_KILLED,
  S19,
];

export const SSH_TRIALS = GROUPS.map(ofSsh);
