import type { DetectedValues } from '../../stream/detected-values.ts';

/** What detectors say of a value, as the principal of the session may see it. */
export type Detects = Pick<DetectedValues, 'configured' | 'suspects' | 'detect' | 'masked' | 'nextRecord'>;
