import { expect, test } from 'vitest';
import { DetectorSet } from '../../../../src/masking/detectors/index.ts';
import type { PolicyObject } from '../../../../src/policy/model.ts';
import { resourceObject } from '../../../../src/policy/objects.ts';
import { classification } from '../../../../src/protocols/http/shown/classification.ts';
import { ShownMasks } from '../../../../src/protocols/http/shown/masks.ts';
import { DetectedValues } from '../../../../src/protocols/stream/detected-values.ts';

const resource = resourceObject('api', 'http');
const classified = classification(resource, {
  fields: {
    'GET /users/*': { '$.email': ['pii'], '$.name': ['shown'] },
    'GET /orders': { '$.orders[*].card': ['pii'] },
  },
  headers: { 'X-Account': ['pii'] },
});
const tagsOf = ({ attrs }: PolicyObject) => JSON.stringify(attrs['tags']);

test.each<[string, readonly string[], string, readonly string[]]>([
  ['the members on its route, and headers', ['users', '1'], 'none', ['email', 'x-account']],
  ['of another route', ['orders'], 'none', ['$.orders[*].card', 'x-account']],
  ['headers everywhere', ['health'], 'none', ['x-account']],
  ['and what detectors find', ['health'], 'found', ['x-account', 'api/detected']],
])('what is masked of an answer is named: %s', (_, segments, tag, expected) => {
  const guard = {
    reveal: (object: PolicyObject) =>
      tagsOf(object).includes('pii') || tagsOf(object).includes('found')
        ? ({ show: false, mask: 'redact', rules: [] } as const)
        : ({ show: true } as const),
    policyVersion: () => 'v1',
  };
  const detected = new DetectedValues(guard, resource, new DetectorSet([]), [tag]);
  const { hidden } = new ShownMasks(guard, classified, detected).of('GET', segments);
  expect(hidden).toHaveLength(expected.length);
  for (const [at, name] of expected.entries()) expect(hidden[at]?.name).toContain(name);
  // By what policy was asked about each it can be told which rule hides it.
  expect(hidden.map(({ objects }) => objects.map(tagsOf))).toEqual(
    expected.map((name) => [name === 'api/detected' ? '["found"]' : '["pii"]']),
  );
});
