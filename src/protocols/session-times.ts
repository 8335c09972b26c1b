import { duration } from '../core/config/shape.ts';

/** Keys under `session` that every protocol's resources have. */
export function sessionTimes() {
  return {
    max: duration('1s', '7d', '8h').prefault('8h'),
    idle: duration('1s', '7d', '30m').optional(),
  };
}
