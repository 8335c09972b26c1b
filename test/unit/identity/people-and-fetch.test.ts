import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseDirectory } from '../../../src/gateway/config/directory.ts';
import { makeLocalCertificates } from '../../../src/gateway/init/certificates.ts';
import { AgentRegistry } from '../../../src/identity/agents.ts';
import { claimAt } from '../../../src/identity/issuers/claims.ts';
import { issuerFetch } from '../../../src/identity/issuers/fetch.ts';
import { codeOf, subject } from './support.ts';

describe('a directory of people', () => {
  it('is read from YAML and JSON, without regard to case', () => {
    const expected = new Map([
      ['ada@x.example', ['dba', 'dev']],
      ['bob@x.example', ['dev']],
    ]);
    expect(parseDirectory('Ada@X.example: [dba, dev]\nbob@x.example: dev\n')).toEqual(expected);
    expect(parseDirectory('{"ada@x.example": ["dba", "dev"], "bob@x.example": "dev"}')).toEqual(expected);
    expect(parseDirectory('')).toEqual(new Map());
  });

  it.each([
    ['- a\n- b', 'mapping'],
    ['ada: [dev]', 'ada'],
    ['a@x.example: {dev: true}', 'a@x.example'],
    ['a@x.example: [1]', 'a@x.example'],
    ['a@x.example: [dev]\nA@x.example: [dba]', 'twice'],
    ['a@x.example: [', 'YAML'],
  ])('%j is refused', (text, why) => {
    expect(parseDirectory(text)).toContain(why);
  });
});

describe('a claim', () => {
  const claims = {
    a: 1,
    '/x': 2,
    n: { 'o/p': { 'q~r': 'deep' }, list: ['z'] },
    'https://x.example/g': ['g'],
  };
  it.each<[string, unknown]>([
    ['a', 1],
    ['https://x.example/g', ['g']],
    ['/n/o~1p/q~0r', 'deep'],
    ['/n/list/0', undefined],
    ['/n/constructor', undefined],
    ['/__proto__', undefined],
    ['/a/b', undefined],
    ['/missing/b', undefined],
  ])('%s', (path, value) => {
    expect(claimAt(claims, path)).toEqual(value);
  });
});

describe('an agent', () => {
  const issuer = 'https://ci.example.com';
  const ci = (claims: Record<string, string>) => new AgentRegistry({ ci: { match: { issuer, claims } } });
  const job = (claims: Record<string, unknown>) => subject({ type: 'jwt', issuer, claims });

  it('may be told by a claim inside another', async () => {
    const agents = ci({ '/kubernetes.io/namespace': 'jobs' });
    expect(agents.resolve(job({ 'kubernetes.io': { namespace: 'jobs' } }), undefined).name).toBe('ci');
    const other = job({ 'kubernetes.io': { namespace: 'jobs-evil' }, '/kubernetes.io/namespace': 'jobs' });
    expect(await codeOf(() => agents.resolve(other, undefined))).toBe('ERR_AGENT_UNKNOWN');
  });

  it('is not a job of a merge request, unless it says so', async () => {
    const claims = { project_path: 'g/p', ref: 'main', pipeline_source: 'merge_request_event' };
    const careless = ci({ project_path: 'g/p', ref: 'main' });
    expect(await codeOf(() => careless.resolve(job(claims), undefined))).toBe('ERR_AGENT_UNKNOWN');
    const meant = ci({ project_path: 'g/p', pipeline_source: 'merge_request_event' });
    expect(meant.resolve(job(claims), undefined).name).toBe('ci');
    expect(careless.resolve(job({ ...claims, pipeline_source: 'push' }), undefined).name).toBe('ci');
  });
});

describe("an API server's documents", () => {
  let server: Server;
  let url: URL;
  let ca: string;
  let directory: string;
  const seen: (string | undefined)[] = [];

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'hoop-fetch-'));
    const { authority, server: pair } = await makeLocalCertificates(['127.0.0.1'], Date.now());
    ca = authority;
    server = createServer({ cert: pair.cert, key: pair.key }, (request, response) => {
      seen.push(request.headers.authorization);
      if (request.url === '/moved') response.writeHead(302, { location: '/jwks' });
      response.end('{"keys":[]}');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = new URL(`https://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`);
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
    rmSync(directory, { recursive: true });
  });

  it("are fetched over the cluster's own authority, and only over that", async () => {
    const answer = await issuerFetch({ ca })(url, {});
    expect([answer.status, await answer.text()]).toEqual([200, '{"keys":[]}']);
    await expect(issuerFetch({})(url, {})).rejects.toThrow();
    const { authority } = await makeLocalCertificates(['127.0.0.1'], Date.now());
    await expect(issuerFetch({ ca: authority })(url, {})).rejects.toThrow();
    expect((await issuerFetch({ ca })(new URL('/moved', url), {})).status).toBe(302);
  });

  it('are asked for with the token of the moment, never in the clear', async () => {
    const tokenFile = join(directory, 'token');
    const fetch = issuerFetch({ ca, tokenFile });
    for (const token of ['first.token', 'second.token']) {
      writeFileSync(tokenFile, `${token}\n`);
      await (await fetch(url, {})).text();
      expect(seen.at(-1)).toBe(`Bearer ${token}`);
    }
    await expect(fetch(new URL('http://127.0.0.1:1/jwks'), {})).rejects.toThrow('not https');
    writeFileSync(tokenFile, 'a\r\nx: y');
    await expect(fetch(url, {})).rejects.toThrow('holds no token');
  });

  it('that never come are given up', async () => {
    await expect(issuerFetch({ ca })(url, { signal: AbortSignal.abort() })).rejects.toThrow();
  });
});
