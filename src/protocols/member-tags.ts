import { z } from 'zod';
import { expected, tags } from '../core/config/shape.ts';
import { parseFieldPath } from '../masking/json/field-path.ts';

/** Tags of members of documents, by their paths. */
export function memberTags() {
  const wanted = expected("a member's path", 'write $.email or $..ssn');
  return z.record(
    z.string(wanted).refine((input) => parseFieldPath(input) !== undefined, wanted),
    tags(),
    expected('a mapping of members', 'write {"$.email": [pii.email]}'),
  );
}
