/**
 * What every source of secrets does: environment and files today, commands and leases later. A source joins with a file that
 * names its places.
 */
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SecretRef } from '../../src/core/config/shape.ts';
import { asText, readSecret } from '../../src/gateway/config/materials.ts';

/** One place where one secret may be kept; nothing is there at first. */
export interface SecretPlace {
  /** As the configuration names it. */
  readonly ref: SecretRef;
  readonly env: NodeJS.ProcessEnv;
  put(secret: string): void;
  remove(): void;
}

const PATH = ['resources', 'db', 'credentials', 'password'];
const LARGEST_BYTES = 64 * 1024;

/** @param makePlace Called before each case. */
export function secretConformance(name: string, makePlace: () => SecretPlace): void {
  describe(`a secret from ${name}`, () => {
    let place: SecretPlace;
    let complaints: { path: readonly PropertyKey[]; problem: string; cure: string }[];
    beforeEach(() => {
      place = makePlace();
      complaints = [];
    });
    afterEach(() => place.remove());

    const read = () =>
      readSecret(place.ref, place.env, PATH, (path, problem, cure) => {
        complaints.push({ path, problem, cure });
      });

    it.each([
      ['a word', 'hunter2'],
      ['blanks', ' with blanks '],
      ['letters beyond ASCII', 'größer ☃'],
      ['two lines', 'two\nlines'],
      ['the most octets', 'x'.repeat(LARGEST_BYTES)],
    ])('comes as it is kept: %s', (_, secret) => {
      place.put(secret);
      expect(read()?.toString()).toBe(secret);
      expect(complaints).toEqual([]);
    });

    it('ends before its last line break, as text, and shows itself only where it is asked for', () => {
      place.put('hunter2\n\r\n');
      const secret = asText(read()!);
      expect(secret.expose()).toBe('hunter2\n');
      expect(`${secret} ${JSON.stringify({ secret })} ${inspect({ secret }, { depth: 9 })}`).not.toContain(
        'hunter2',
      );
    });

    it('is read anew each time: a rotated one is used at once', () => {
      place.put('old');
      read();
      place.put('new');
      expect(read()?.toString()).toBe('new');
    });

    it('that is not there is a mistake at its path, with what to do', () => {
      expect(read()).toBeUndefined();
      expect(complaints).toEqual([
        {
          path: PATH,
          problem: expect.stringMatching(/is not set|cannot be read/),
          cure: expect.stringMatching(/./),
        },
      ]);
    });

    it.each([
      ['empty', ''],
      ['too large', `hunter2${'x'.repeat(LARGEST_BYTES)}`],
    ])('that is %s is a mistake, which repeats none of it', (_, secret) => {
      place.put(secret);
      expect(read()).toBeUndefined();
      expect(complaints).toMatchObject([{ path: PATH, problem: expect.stringMatching(/^the secret is/) }]);
      expect(JSON.stringify(complaints)).not.toContain('hunter2');
    });
  });
}
