/** Speaks gRPC as its clients do, every kind of call, and prints what it is answered: at `API_URL`, with `API_TOKEN` if there is one. */
import { once } from 'node:events';
import { Client, compressionAlgorithms, credentials, Metadata, type ServiceError } from '@grpc/grpc-js';

const { API_URL = '', API_TOKEN } = process.env;
const client = new Client(new URL(API_URL).host, credentials.createInsecure(), {
  'grpc.default_compression_algorithm': compressionAlgorithms.gzip,
});
const as = (octets: Buffer) => octets;
const at = (name: string) => `/shop.v1.Orders/${name}`;

function metadata(): Metadata {
  const made = new Metadata();
  if (API_TOKEN !== undefined) made.set('authorization', `Bearer ${API_TOKEN}`);
  made.set('x-asked', 'yes');
  made.set('x-octets-bin', Buffer.from([0, 255, 1]));
  return made;
}

function said(what: string, ...parts: readonly unknown[]): void {
  const texts = parts.map((one) => (typeof one === 'string' ? one : JSON.stringify(one)));
  process.stdout.write(`${[what, ...texts].join(' ')}\n`);
}

/** What of metadata the server has said, and not what carried it. */
function own(from: Metadata): unknown {
  return Object.entries(from.toJSON()).filter(([name]) => name.startsWith('x-'));
}

const failed = ({ code, details, metadata: trailers }: ServiceError) => [
  code,
  // With how long it took, and by which address.
  details.replace(/ after .*/, ''),
  own(trailers),
];

function unary(name: string, message: string | Buffer, deadline?: number): Promise<void> {
  return new Promise((resolve) => {
    const options = deadline === undefined ? {} : { deadline: Date.now() + deadline };
    const call = client.makeUnaryRequest(
      at(name),
      as,
      as,
      Buffer.from(message),
      metadata(),
      options,
      (error, value) => {
        if (error) said(name, ...failed(error));
        else said(name, value!.length, value!.toString('latin1', 0, 40));
      },
    );
    call.on('metadata', (head) => said(`${name} head`, own(head)));
    call.on('status', ({ code, details, metadata: trailers }) => {
      said(`${name} status`, code, details.replace(/ after .*/, ''), own(trailers));
      resolve();
    });
  });
}

async function down(name: string, most = Number.POSITIVE_INFINITY): Promise<void> {
  const call = client.makeServerStreamRequest(at(name), as, as, Buffer.from('12'), metadata());
  let came = 0;
  call.on('data', (message: Buffer) => {
    said(name, String(message));
    if (++came === most) call.cancel();
  });
  call.on('error', (error: ServiceError) => said(`${name} failed`, ...failed(error)));
  const { promise, resolve } = Promise.withResolvers<number>();
  call.on('status', ({ code }) => resolve(code));
  said(`${name} status`, await promise);
}

async function up(): Promise<void> {
  await new Promise<void>((resolve) => {
    const call = client.makeClientStreamRequest(at('Sum'), as, as, metadata(), (error, value) => {
      said('Sum', error === null ? String(value) : failed(error));
      resolve();
    });
    for (let nth = 0; nth < 50; nth++) call.write(Buffer.alloc(100_000, nth));
    call.end();
  });
}

/** Each word is said once the one before was answered. */
async function both(): Promise<void> {
  const call = client.makeBidiStreamRequest(at('Chat'), as, as, metadata());
  for (const word of ['one', 'two', 'three']) {
    call.write(Buffer.from(word));
    const [answer] = (await once(call, 'data')) as [Buffer];
    said('Chat', String(answer));
  }
  call.end();
  const [{ code, metadata: trailers }] = (await once(call.resume(), 'status')) as [
    { readonly code: number; readonly metadata: Metadata },
  ];
  said('Chat status', code, own(trailers));
}

await unary('Get', 'seven');
await unary('Get', Buffer.alloc(1_500_000, 'x'));
await unary('Get', '');
await unary('Fail', 'é');
await unary('Missing', 'x');
await unary('Never', 'x', 500);
await down('List');
await down('List', 3);
await up();
await both();
client.close();
