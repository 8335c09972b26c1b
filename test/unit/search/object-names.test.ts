import fc from 'fast-check';
import { expect, it } from 'vitest';
import { objectNames } from '../../../src/search/object-names.ts';

it.each<[string, string[]]>([
  ['pg-prod', ['pg-prod']],
  ['pg.prod/public', ['pg.prod/public', '/public', 'public']],
  ['pg-prod/Public.Orders', ['pg-prod/public.orders', '/public.orders', 'public.orders', 'orders']],
  [
    'pg-prod/public.orders.id',
    ['pg-prod/public.orders.id', '/public.orders.id', 'public.orders.id', 'orders.id', 'id'],
  ],
  [
    'k8s/shop/pods/web-1',
    ['k8s/shop/pods/web-1', '/shop/pods/web-1', 'shop/pods/web-1', 'pods/web-1', 'web-1'],
  ],
  ['api/Orders/7', ['api/orders/7', '/orders/7', 'orders/7', '7']],
  ['api/', ['api/', '/', '']],
  ['/odd', ['/odd', 'odd']],
  ['bare.name', ['bare.name']],
  ['', ['']],
])('%s is found as %j', (id, names) => {
  expect(objectNames(id)).toEqual(names);
});

it('gives ends of the id, each shorter than the one before, and not many, whatever the id', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('a', 'B', '.', '/'), maxLength: 60 }), (id) => {
      const names = objectNames(id);
      expect(names.length).toBeLessThanOrEqual(18);
      names.forEach((name, i) => {
        expect(id.toLowerCase().endsWith(name)).toBe(true);
        if (i > 0) expect(name.length).toBeLessThan(names[i - 1]!.length);
      });
    }),
  );
});
