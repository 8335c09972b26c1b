import { BODIES } from './cases/bodies.ts';
import { H18, H19, H21, H28 } from './cases/elsewhere.ts';
import { H22 } from './cases/ends.ts';
import { H5, H6, H25 } from './cases/framing.ts';
import { H23 } from './cases/graphql.ts';
import { H4, H8, H9, H10, H11, H12 } from './cases/headers.ts';
import { H16, H20 } from './cases/masked.ts';
import { H13, H15 } from './cases/masked-forms.ts';
import { H1, H2, H3, H26 } from './cases/paths.ts';
import { H24 } from './cases/rpc.ts';
import { H29 } from './cases/tls.ts';
import { MESSAGES, UPGRADES } from './cases/upgrades.ts';
import { ofHttp } from './world.ts';

/** Every group, in the order of the kinds. */
const GROUPS = [
  H1,
  H2,
  H3,
  H4,
  H5,
  H6,
  H8,
  H9,
  H10,
  H11,
  BODIES,
  H12,
  H13,
  H15,
  H16,
  H18,
  H19,
  H20,
  H21,
  H22,
  H23,
  H24,
  H25,
  H26,
  H28,
];

export const HTTP_TRIALS = [...GROUPS.map(ofHttp), H29, MESSAGES, UPGRADES];
