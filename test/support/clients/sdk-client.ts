/** A client that was generated from an OpenAPI file, used as its reader would. Prints what it was answered. */
import { pathToFileURL } from 'node:url';

const { API_URL = '', API_TOKEN, SDK = '' } = process.env;
const { ApiError, OpenAPI, OrdersService } = await import(pathToFileURL(SDK).href);
OpenAPI.BASE = API_URL;
OpenAPI.TOKEN = API_TOKEN;

async function said(what: string, act: () => Promise<unknown>): Promise<void> {
  const answer = await act().catch((error: { readonly status: number; readonly body: unknown }) => {
    if (!(error instanceof ApiError)) throw error;
    return { status: error.status, body: error.body };
  });
  process.stdout.write(`${what} ${JSON.stringify(answer)}\n`);
}

await said('list', () => OrdersService.listOrders({ limit: 2, tag: ['a b', 'é'] }));
await said('one', () => OrdersService.getOrder({ id: 'x y' }));
await said('place', () => OrdersService.placeOrder({ requestBody: { item: 'té', amount: 2.5 } }));
await said('file', () =>
  OrdersService.attach({ id: '7', formData: { file: new Blob(['x'.repeat(99_999)]) } }),
);
await said('cancel', () => OrdersService.cancelOrder({ id: '7' }));
await said('missing', () => OrdersService.getOrder({ id: 'missing' }));
