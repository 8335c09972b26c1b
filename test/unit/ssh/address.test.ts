import { describe, expect, it } from 'vitest';
import { isLoopback, readBinding, readEndpoint } from '../../../src/protocols/ssh/reading/address.ts';

describe('where a connection is to be forwarded to', () => {
  it.each([
    ['db.internal', 'db.internal'],
    ['DB.Internal.', 'db.internal'],
    ['my_host', 'my_host'],
    ['10.0.0.7', '10.0.0.7'],
    ['0:0:0:0:0:0:0:1', '::1'],
    ['2001:DB8::00ff', '2001:db8::ff'],
    ['1::2', '1::2'],
    ['fd00::1:2', 'fd00::1:2'],
    ['7-zip.example', '7-zip.example'],
  ])('%s is read as %s', (host, expected) => {
    expect(readEndpoint(host, 5432)).toEqual({ host: expected, port: 5432 });
  });

  it.each([
    ...[
      '',
      '.',
      '*',
      '127.1',
      '0x7f.1',
      '2130706433',
      '0177.0.0.1',
      '010.0.0.7',
      '10.0.0.7.',
      'a..b',
      'a b',
      'a\0b',
    ],
    ...[
      '0.0.0.0',
      '0.1.2.3',
      '::',
      '0:0:0:0:0:0:0:0',
      '::127.0.0.1',
      '::2',
      '64:ff9b::7f00:1',
      '2002:7f00:1::',
      '::ffff:127.0.0.1',
      'fe80::1%eth0',
      '[::1]',
      'ünï.example',
      `${'a'.repeat(64)}.x`,
      '-x',
      '/run/docker.sock',
    ],
  ])('%j is refused', (host) => {
    expect(readEndpoint(host, 80)).toBeUndefined();
  });

  it.each([0, -1, 65_536, 1.5, Number.NaN])('the port %d is refused', (port) => {
    expect(readEndpoint('a', port)).toBeUndefined();
  });
});

describe('where a host is to listen', () => {
  it.each([
    ['', '*', false],
    ['*', '*', false],
    ['0.0.0.0', '*', false],
    ['::', '*', false],
    ['LOCALHOST', 'localhost', true],
    ['127.0.0.1', '127.0.0.1', true],
    ['127.8.8.8', '127.8.8.8', true],
    ['0:0:0:0:0:0:0:1', '::1', true],
    ['10.0.0.7', '10.0.0.7', false],
    ['127.evil.example', '127.evil.example', false],
  ])('%j is read as %s', (host, expected, loopback) => {
    for (const port of [0, 8080]) expect(readBinding(host, port)).toEqual({ host: expected, port });
    expect(isLoopback(expected)).toBe(loopback);
  });

  it.each([
    '0',
    '127.1',
    '::ffff:127.0.0.1',
    '::ffff:0.0.0.0',
    '0:0:0:0:0:0:0:0',
    '/tmp/socket',
    'a b',
    '**',
  ])('%j is not read', (host) => expect(readBinding(host, 8080)).toBeUndefined());

  it.each([-1, 65_536, 1.5, Number.NaN])('nor is a port %d', (port) => {
    for (const host of ['', 'localhost']) expect(readBinding(host, port)).toBeUndefined();
  });
});
