import { describe, expect, it } from 'vitest';
import { Places } from '../../../src/protocols/ssh/places.ts';

const RESOURCE = { type: 'Resource', id: 'web', attrs: {} };
const CONFIG = { port: 22, hostKeys: [], hostCa: [], addresses: [] };
const thrown = (act: () => unknown) => {
  try {
    return act();
  } catch (error) {
    return (error as { code?: string }).code;
  }
};

describe('the hosts behind a resource', () => {
  const many = new Places(RESOURCE, {
    ...CONFIG,
    hosts: { pattern: 'web-*.Internal', labels: { role: 'web', env: 'prod' } },
  });

  it('are those whose names the pattern fits, each an entity of its own', () => {
    expect(many.find('WEB-3.internal')).toMatchObject({
      name: 'web-3.internal',
      object: { type: 'Host', id: 'web/web-3.internal', attrs: { labels: ['role=web', 'env=prod'] } },
    });
    for (const name of [
      'db-1.internal',
      'web-1.internal.evil',
      'web-1.evil.internal',
      'web-1',
      '-web.internal',
      'web-1..internal',
      'web-1.internal.',
      '10.0.0.1',
      '::1',
      'web-*.internal',
      '',
    ])
      expect(
        thrown(() => many.find(name)),
        name,
      ).toBe('ERR_NO_ACCESS');
    expect(thrown(() => many.find(undefined))).toBe('ERR_USAGE');
  });

  it('are one where one is configured, whatever is asked', () => {
    const one = new Places(RESOURCE, { ...CONFIG, host: 'host-1.internal' });
    for (const asked of [undefined, 'Host-1.internal']) expect(one.find(asked).name).toBe('host-1.internal');
    expect(thrown(() => one.find('169.254.169.254'))).toBe('ERR_NO_ACCESS');
  });
});
