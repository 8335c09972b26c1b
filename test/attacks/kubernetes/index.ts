import { K4, K5, K8, K18 } from './cases/addresses.ts';
import { K6, K6_NAMED, K7 } from './cases/identity.ts';
import { K22 } from './cases/kubeconfig.ts';
import { K15 } from './cases/made.ts';
import { K19 } from './cases/reviews.ts';
import { K20 } from './cases/runs.ts';
import { K9, K10 } from './cases/shown.ts';
import { K12, K13, K21 } from './cases/watched.ts';
import { K14 } from './cases/written.ts';
import { ofRuns } from './runs-world.ts';
import { STREAM_TRIALS } from './streams.ts';
import { ofKubernetes } from './world.ts';

/** What is asked of a cluster, in the order of the kinds; then streams into pods. */
export const KUBERNETES_TRIALS = [
  ...[K4, K5, K6, K6_NAMED, K7, K8, K9, K10, K12, K13, ...K14, ...K15, K18, K19, K21, K22].map(ofKubernetes),
  ofRuns('K20', K20),
  ...STREAM_TRIALS,
];
