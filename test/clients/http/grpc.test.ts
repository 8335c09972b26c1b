/** gRPC, every kind of call: what its client gets through the tunnel is what it gets from the server itself. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import {
  type handleBidiStreamingCall,
  type handleClientStreamingCall,
  type handleServerStreamingCall,
  type handleUnaryCall,
  Metadata,
  Server,
  ServerCredentials,
  status,
} from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Stack, startStack } from '../../support/stack.ts';
import { eventually } from '../../support/waiting.ts';

const run = promisify(execFile);
const CLIENT = new URL('../../support/clients/grpc-client.ts', import.meta.url).pathname;
const ASKS = `'${process.execPath}' '${CLIENT}'`;
const POLICY = `
@id("all") permit (principal, action in [Action::"connect", Action::"http"], resource);
@id("shown") permit (principal, action == Action::"reveal", resource) unless { resource has name && resource.name == "$.email" };
@id("no-sums") forbid (principal, action in Action::"http", resource is Endpoint) when { resource.path == "/shop.v1.Orders/Sum" && resource in Resource::"denies" };
`;

type Unary = handleUnaryCall<Buffer, Buffer>;

let server: Server;
let port: number;
let stack: Stack;
/** Calls that the server has seen taken back. */
let cancelled = 0;

beforeAll(async () => {
  server = service();
  port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    ),
  );
  const target = `{ url: 'http://127.0.0.1:${port}', version: http/2 }`;
  stack = await startStack({
    policy: POLICY,
    resources: () => `  api: { protocol: http, target: ${target}, credentials: {} }
  denies: { protocol: http, target: ${target}, credentials: {} }
  masks:
    protocol: http
    target: ${target}
    credentials: {}
    classification: { fields: { 'POST /shop.v1.Orders/*': { '$.email': [pii.email] } } }`,
  });
});

afterAll(async () => {
  await stack?.stop();
  server?.forceShutdown();
});

function service(): Server {
  const as = (octets: Buffer) => octets;
  const shape = (name: string, requestStream: boolean, responseStream: boolean) => ({
    ...{ path: `/shop.v1.Orders/${name}`, requestStream, responseStream },
    ...{ requestSerialize: as, requestDeserialize: as, responseSerialize: as, responseDeserialize: as },
  });
  const trailers = (of: Metadata) => {
    const made = new Metadata();
    made.set('x-trailer', String(of.get('x-asked')));
    made.set('x-octets-bin', of.get('x-octets-bin')[0] ?? Buffer.alloc(0));
    return made;
  };
  const get: Unary = (call, done) => {
    const head = new Metadata();
    head.set('x-head', 'here');
    call.sendMetadata(head);
    done(null, call.request, trailers(call.metadata));
  };
  const fail: Unary = (call, done) =>
    done({
      code: status.FAILED_PRECONDITION,
      details: `no ${call.request}`,
      metadata: trailers(call.metadata),
    });
  const never: Unary = (call) => void call.on('cancelled', () => cancelled++);
  const list: handleServerStreamingCall<Buffer, Buffer> = (call) => {
    for (let nth = 0; nth < Number(String(call.request)); nth++) call.write(Buffer.from(`order ${nth}`));
    call.end(trailers(call.metadata));
  };
  const sum: handleClientStreamingCall<Buffer, Buffer> = (call, done) => {
    let octets = 0;
    call.on('data', (message: Buffer) => (octets += message.length));
    call.on('end', () => done(null, Buffer.from(String(octets))));
  };
  const chat: handleBidiStreamingCall<Buffer, Buffer> = (call) => {
    call.on('data', (message: Buffer) => call.write(Buffer.from(`you said ${message}`)));
    call.on('end', () => call.end(trailers(call.metadata)));
  };
  const made = new Server();
  made.addService(
    {
      Get: shape('Get', false, false),
      Fail: shape('Fail', false, false),
      Never: shape('Never', false, false),
      List: shape('List', false, true),
      Sum: shape('Sum', true, false),
      Chat: shape('Chat', true, true),
    },
    { Get: get, Fail: fail, Never: never, List: list, Sum: sum, Chat: chat },
  );
  return made;
}

function through(resource: string) {
  const named = resource.toUpperCase();
  const script = `API_URL="$${named}_URL" API_TOKEN="$${named}_TOKEN" ${ASKS}`;
  return stack.hoopctl(['connect', '--bearer', resource, '--', 'sh', '-c', script]);
}

describe('a client of gRPC', () => {
  it('gets through the tunnel what it gets directly', async () => {
    const direct = await run('sh', ['-c', ASKS], {
      env: { ...process.env, API_URL: `http://127.0.0.1:${port}` },
    });
    expect(direct.stdout).toContain('Chat you said three');
    expect(direct.stdout).toContain('Sum 5000000');
    await eventually('the call in vain is over', () => cancelled === 1);
    const { stdout, stderr, exitCode } = await through('api');
    expect({ stdout, exitCode }, stderr).toEqual({ stdout: direct.stdout, exitCode: 0 });
    await eventually('and so is the one through the tunnel', () => cancelled === 2);
  });

  it('is told PERMISSION_DENIED of a call that policy denies, and the others go on', async () => {
    const { stdout } = await through('denies');
    expect(stdout).toMatch(/^Sum \[7,/m);
    expect(stdout).toContain('Chat you said three');
  });

  it('is told UNAVAILABLE, and nothing of the answer, where members of it are masked', async () => {
    const { stdout } = await through('masks');
    expect(stdout).toMatch(/^Get 14 /m);
    expect(stdout).not.toMatch(/seven|order \d|you said/);
  });
});
