import { describe, expect, it } from 'vitest';
import type { Method } from '../../../src/protocols/http/request/methods.ts';
import { isRefused } from '../../../src/protocols/http/request/refusals.ts';
import { matchesRoute, parseRoute } from '../../../src/protocols/http/request/route-pattern.ts';
import { readPath } from '../../../src/protocols/http/request/target/path.ts';

function matches(text: string, request: string): boolean {
  const [method = '', path = ''] = request.split(' ');
  const read = readPath(path);
  if (isRefused(read)) throw new Error(read.reason);
  return matchesRoute(parseRoute(text)!, method as Method, read.segments);
}

describe('a pattern of routes', () => {
  it.each([
    [
      'GET /customers/*',
      ['GET /customers/5', 'GET /customers/5/', 'HEAD /customers/5', 'GET /Customers/J%C3%BCrgen'],
    ],
    ['/customers/*', ['GET /customers/5', 'DELETE /customers/a']],
    ['/customers/', ['GET /customers', 'GET /customers/']],
    ['/', ['GET /']],
    ['/**', ['GET /', 'GET /a', 'POST /a/b/c']],
    ['/a/**', ['GET /a', 'GET /a/', 'GET /a/b/c']],
    ['/**/ssn', ['GET /ssn', 'GET /a/b/ssn']],
    ['/a/**/b/*', ['GET /a/b/1', 'GET /a/x/b/1', 'GET /a/b/b/1']],
    ['/files/report-*.csv', ['GET /files/report-.csv', 'GET /files/report-2026.CSV']],
    ['/a/jürgen', ['GET /a/J%C3%9CRGEN']],
  ])('%s', (pattern, requests) => {
    for (const request of requests) expect(matches(pattern, request), request).toBe(true);
  });

  it.each([
    [
      'GET /customers/*',
      ['POST /customers/5', 'GET /customers', 'GET /customers/', 'GET /customers/5/orders'],
    ],
    ['HEAD /a', ['GET /a']],
    ['/a/**', ['GET /', 'GET /ab']],
    ['/a/**/b', ['GET /a', 'GET /b', 'GET /a/b/c']],
    ['/a*a', ['GET /a', 'GET /aab']],
    ['/', ['GET /a']],
  ])('%s does not match', (pattern, requests) => {
    for (const request of requests) expect(matches(pattern, request), request).toBe(false);
  });

  it.each([
    ...[
      '',
      'customers',
      'get /a',
      'TRACE /a',
      'GET',
      'GET a',
      '//',
      '/a//b',
      '/a/../b',
      '/.',
      '/a?x=1',
      '/a#b',
      '/a;b',
    ],
    ...['/a/***', '/**/a/**', '/a*b*', '/a b', '/a\\b', 'GET  ', `/${'a'.repeat(1024)}`],
  ])('%j is none', (text) => expect(parseRoute(text)).toBeUndefined());
});
