import { describe, expect, it } from 'vitest';
import { spokenIn } from '../../../src/protocols/http/relay/first-octets.ts';

const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';

describe('what a client begins to speak', () => {
  it.each([
    ['GET / HTTP/1.1\r\n', 'http/1'],
    ['PUT / HTTP/1.1\r\n', 'http/1'],
    ['PRI', undefined],
    ['PRI * HTTP/1.1\r\n', 'http/1'],
    [PREFACE, 'http/2'],
    [`${PREFACE}\0\0\0\x04`, 'http/2'],
    ['\x16\x03\x01', 'tls'],
    ['\0', 'http/1'],
  ])('%j is %s', (octets, spoken) => expect(spokenIn(Buffer.from(octets, 'latin1'))).toBe(spoken));

  it('is not guessed before the last octet of the preface, nor later than the first that is another', () => {
    for (let length = 1; length < PREFACE.length; length++) {
      expect(spokenIn(Buffer.from(PREFACE.slice(0, length)))).toBeUndefined();
      expect(spokenIn(Buffer.from(`${PREFACE.slice(0, length)}x`))).toBe('http/1');
    }
  });
});
