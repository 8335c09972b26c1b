import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DetectorSet } from '../../../src/masking/detectors/index.ts';
import type { Reveal } from '../../../src/policy/model.ts';
import { DetectedValues } from '../../../src/protocols/stream/detected-values.ts';
import { ShownOutput } from '../../../src/protocols/stream/terminal/output.ts';
import { resource } from '../policy/support.ts';

const TAGS = ['pii.email', 'pii.national-id', 'pii.card', 'secret.key', 'secret.token', 'secret'];
const SSN = '123-45-6789';

function output(show = false): ShownOutput {
  const reveal = (): Reveal => (show ? { show: true } : { show: false, mask: 'redact', rules: [] });
  const detected = new DetectedValues({ reveal }, resource, new DetectorSet(), TAGS);
  detected.refresh();
  return new ShownOutput(detected);
}

/** All that is shown of these pieces; `undefined` among them is a silence. */
function shown(pieces: readonly (string | Buffer | undefined)[], of = output()): string {
  const out = pieces.map((piece) => (piece === undefined ? of.flush() : of.push(Buffer.from(piece))));
  return Buffer.concat([...out, of.flush()]).toString('latin1');
}

describe('output that is shown', () => {
  const TEXT = `name: Ann\nssn: ${SSN}\nmail ann@example.com, again ${SSN}\nno more`;
  const MASKED = 'name: Ann\nssn: ***\nmail ***, again ***\nno more';

  it('has its values masked wherever it is cut', () => {
    for (let at = 0; at <= TEXT.length; at++) expect(shown([TEXT.slice(0, at), TEXT.slice(at)])).toBe(MASKED);
    expect(shown([...TEXT])).toBe(MASKED);
  });

  it('has its values masked whatever the pieces', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(TEXT.length), { maxLength: 6 }), (cuts) => {
        const places = [0, ...cuts.toSorted((a, b) => a - b), TEXT.length];
        expect(shown(places.slice(1).map((end, i) => TEXT.slice(places[i], end)))).toBe(MASKED);
      }),
      { numRuns: 200 },
    );
  });

  it('shows no whole value where a silence falls within it, and nothing of it behind the silence', () => {
    for (let at = 1; at < SSN.length; at++) {
      const text = shown([`x ${SSN.slice(0, at)}`, undefined, `${SSN.slice(at)} y\n`]);
      expect(text).not.toContain(SSN);
      expect([`x ${SSN.slice(0, at)}*** y\n`, 'x *** y\n', 'x ****** y\n']).toContain(text);
    }
  });

  it.each([
    ['a colour within', `123-\u001b[0m45-6789`, '***'],
    ['colours as grep sets them', `123-\u001b[01;31m\u001b[K45\u001b[m\u001b[K-6789`, '***'],
    ['colours around', `\u001b[1m${SSN}\u001b[0m`, '\u001b[1m***\u001b[0m'],
  ])('finds a value with %s', (_, text, masked) => {
    expect(shown([`a ${text} b\n`])).toBe(`a ${masked} b\n`);
  });

  it('shows a prompt that has no line end when nothing more comes', () => {
    const of = output();
    expect(of.push(Buffer.from('done\nuser@host:~$ ')).toString()).toBe('done\n');
    expect(of.holds).toBe(true);
    expect(of.flush().toString()).toBe('user@host:~$ ');
    expect([of.holds, of.flush().length]).toEqual([false, 0]);
  });

  it('hides a private key to its end, whatever silences are in it', () => {
    const body = Array.from({ length: 24 }, () => randomBytes(48).toString('base64'));
    const lines = ['-----BEGIN OPENSSH PRIVATE KEY-----', ...body, '-----END OPENSSH PRIVATE KEY-----'];
    for (const silence of [false, true]) {
      const text = shown(lines.flatMap((line) => [`${line}\n`, ...(silence ? [undefined] : [])]));
      expect(body.filter((line) => text.includes(line))).toEqual([]);
    }
  });

  it('goes on unbroken where it is no text', () => {
    const bytes = Buffer.concat([randomBytes(200_000), Buffer.alloc(5000), randomBytes(100)]);
    const pieces = [bytes.subarray(0, 70_000), bytes.subarray(70_000, 70_001), bytes.subarray(70_001)];
    expect(shown(pieces) === bytes.toString('latin1')).toBe(true);
  });

  it('is text although NUL or other letters are in it', () => {
    expect(shown([`A=1\0SSN=${SSN}\0B=2\0C=some more\0`])).not.toContain(SSN);
    expect(Buffer.from(shown([`Größe 中文 ${SSN}\n`]), 'latin1').toString()).toBe('Größe 中文 ***\n');
    expect(shown([Buffer.from(`Gr\xf6\xdfe of somebody ${SSN}\n`, 'latin1')])).not.toContain(SSN);
  });

  it('is the very same where nothing is masked', () => {
    const bytes = Buffer.from(TEXT);
    const of = output(true);
    expect(of.push(bytes)).toBe(bytes);
    expect(of.flush().length).toBe(0);
  });

  it('holds a bounded part of what has no end', () => {
    const of = output();
    let given = 0;
    for (let i = 0; i < 200; i++) given += of.push(Buffer.alloc(10_000, 'x')).length;
    expect(2_000_000 - given).toBeLessThan(300_000);
    expect(shown(['x'.repeat(100_000), ` ${SSN} `, ' '.repeat(10_000)])).not.toContain(SSN.slice(4));
  });
});
