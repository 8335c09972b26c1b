import { S1 } from './cases/commands.ts';
import { S4, S4_DROP, S4_MODES } from './cases/files.ts';
import { S5, S5_ALIASES, S6 } from './cases/forwards.ts';
import { ofSsh } from './world.ts';

/** Every group, in the order of the kinds. */
const GROUPS = [S1, S4, S4_DROP, S4_MODES, S5, S5_ALIASES, S6];

export const SSH_TRIALS = GROUPS.map(ofSsh);
