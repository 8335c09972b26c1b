import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { notLocal } from '../../../src/wire/http/local-check.ts';

const SECRET = 'c2VjcmV0LXdpdGgtMjU2LWJpdHMtb2YtY2hhbmNlLi4';
const proof = createHash('sha256').update(SECRET).digest('base64url');
const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;

describe('who opened the tunnel', () => {
  it.each([
    [basic(`hoop:${SECRET}`)],
    [basic(`:${SECRET}`)],
    [`basic ${Buffer.from(`a:${SECRET}`).toString('base64')}`],
    [`Bearer ${SECRET}`],
  ])('is known by %s', (value) => {
    expect(notLocal(['Host', 'localhost:8080', 'Authorization', value], proof)).toBeUndefined();
  });

  it.each([
    [[]],
    [['']],
    [[basic(SECRET)]],
    [[basic(`hoop:${SECRET}x`)]],
    [[`Bearer ${SECRET.slice(1)}`]],
    [[`Bearer  ${basic(`hoop:${SECRET}`)}`]],
    [[`Digest ${SECRET}`]],
    [['Basic !!!']],
    [[`Bearer ${'x'.repeat(10_000)}`]],
    [[`Bearer ${SECRET}`, `Bearer ${SECRET}`]],
  ])('is not known by %j', (values) => {
    const headers = values.flatMap((value) => ['authorization', value]);
    expect(notLocal(['host', 'localhost', ...headers], proof)).toMatchObject({ status: 401 });
  });

  it('needs no secret where only the owner can open the local end', () => {
    expect(notLocal(['host', 'localhost'], undefined)).toBeUndefined();
  });
});

describe('a page in a browser', () => {
  it.each(['localhost', 'LOCALHOST:1', '127.0.0.1:8080', '127.9.9.9', '[::1]:80'])('is none: %s', (host) => {
    expect(notLocal(['host', host], undefined)).toBeUndefined();
    expect(notLocal(['host', host, 'origin', `http://${host}`], undefined)).toBeUndefined();
  });

  it.each([
    'evil.example',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    'localhost:80@evil.example',
    '10.0.0.1',
    '0.0.0.0',
    '[::]',
    '',
    'localhost:',
  ])('is one, or may be: %j', (host) => {
    expect(notLocal(['Host', host], undefined)).toMatchObject({ status: 403 });
    expect(notLocal(['Host', 'localhost', 'Host', host], undefined)).toMatchObject({ status: 403 });
    expect(notLocal(['Host', 'localhost', 'Origin', `http://${host}`], undefined)).toMatchObject({
      status: 403,
    });
  });

  it('may have an origin that is not to be told', () => {
    expect(notLocal(['host', 'localhost', 'origin', 'null'], undefined)).toMatchObject({ status: 403 });
  });
});
