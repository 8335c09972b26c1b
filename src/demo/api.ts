import { randomBytes, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Row } from './client.ts';

/** The shop's own HTTP API, as an application in front of the same database would offer it. */
export interface ShopApi {
  /** `http://127.0.0.1:PORT`. */
  readonly url: string;
  /** What it wants to be shown by whoever calls it. */
  readonly token: string;
  stop(): Promise<void>;
}

const PATHS = ['/customers', '/customers/{id}', '/orders/{id}'];
const ONE = /^\/(customers|orders)\/([1-9]\d{0,8})$/;

/**
 * Starts it on any free port of 127.0.0.1.
 *
 * @param query Asks the shop's database, as its owner.
 */
export async function startShopApi(query: (sql: string) => Promise<readonly Row[]>): Promise<ShopApi> {
  const token = randomBytes(24).toString('base64url');
  const server = createServer((request, response) => {
    answer(request, response, token, query).catch(() =>
      respond(response, 500, { error: 'the shop is out of order' }),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    token,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  token: string,
  query: (sql: string) => Promise<readonly Row[]>,
): Promise<void> {
  request.resume();
  if (!isShown(request.headers.authorization, token))
    return respond(response, 401, { error: 'who are you?' });
  const { method, url = '/' } = request;
  const [, table, id] = ONE.exec(url) ?? [];
  if (method === 'GET' && url === '/customers')
    return respond(response, 200, await query('SELECT * FROM customers ORDER BY id'));
  if (method === 'GET' && url === '/') return respond(response, 200, { paths: PATHS });
  if (table === undefined) return respond(response, 404, { error: 'there is no such thing' });
  if (method === 'DELETE') {
    await query(`DELETE FROM ${table} WHERE id = ${id}`);
    return respond(response, 200, { deleted: Number(id) });
  }
  const [row] = await query(`SELECT * FROM ${table} WHERE id = ${id}`);
  return row === undefined
    ? respond(response, 404, { error: 'there is no such thing' })
    : respond(response, 200, row);
}

function isShown(authorization: string | undefined, token: string): boolean {
  const [given, wanted] = [Buffer.from(authorization ?? ''), Buffer.from(`Bearer ${token}`)];
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}

function respond(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(`${JSON.stringify(value)}\n`);
}
