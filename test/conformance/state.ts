/**
 * What every store of a gateway's state does: the one in a directory today, one in a database of its own later.
 * A store joins with a file that names its places.
 */
import { createPublicKey, type KeyObject } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import { InstanceRegistry } from '../../src/identity/instances.ts';
import type { RevocationStore } from '../../src/identity/revocations.ts';
import type { SigningKey } from '../../src/identity/signing-key.ts';
import type { Revocation } from '../../src/storage/revocations.ts';
import { principal, refused } from '../unit/identity/support.ts';

interface OpenState {
  readonly instance: string;
  readonly tokenKey: SigningKey;
  readonly auditKey: KeyObject;
  readonly ownSecret: (purpose: string) => Buffer;
  readonly revocations: RevocationStore;
  close(): Promise<void>;
}

/** Where one gateway keeps its state; empty at first. */
export interface StatePlace {
  open(): Promise<OpenState>;
  /** The revocations as another process sees them, while the first has them open. */
  beside(): { readonly revocations: RevocationStore; close(): void };
  /** Keeps a revocation of a kind that this version does not know. */
  addUnknownRevocation(): Promise<void>;
  remove(): Promise<void>;
}

const REVOCATIONS: readonly Revocation[] = [
  { id: 'rev_1', kind: 'login', value: 'lgn_1', at: 1, until: 1_900_000_000_000 },
  { id: 'rev_2', kind: 'model', value: "'; DROP TABLE revocation; --", modelVersion: '1', at: 2 },
  { id: 'rev_3', kind: 'person', value: 'älice@example.com', at: 3 },
  {
    id: 'rev_4',
    kind: 'run',
    value: '4711',
    owner: { issuer: 'https://a', subject: "'", agent: 'b' },
    at: 4,
  },
];

/** @param makePlace Called before each case. */
export function stateConformance(name: string, makePlace: () => Promise<StatePlace>): void {
  describe(`state in ${name}`, () => {
    let place: StatePlace;
    beforeEach(async () => {
      place = await makePlace();
    });
    afterEach(() => place.remove());

    async function reopened<Value>(first: (state: OpenState) => Value): Promise<[Value, OpenState]> {
      const state = await place.open();
      const value = first(state);
      await state.close();
      return [value, await place.open()];
    }

    it("draws the gateway's name and keys once, and finds them again", async () => {
      const drawn = ({ instance, tokenKey, auditKey, ownSecret }: OpenState) => ({
        instance,
        own: ['one', 'two'].map((purpose) => ownSecret(purpose).toString('hex')),
        tokens: tokenKey.keyId,
        audit: createPublicKey(auditKey).export({ format: 'jwk' }),
      });
      const [first, second] = await reopened(drawn);
      expect(first.instance).toMatch(/^[A-Za-z0-9][A-Za-z0-9._-]{7,63}$/);
      expect(drawn(second)).toEqual(first);
      expect(new Set(first.own).size).toBe(2);
      await second.close();
    });

    it('gives revocations back as they were, oldest first', async () => {
      const [, state] = await reopened(({ revocations }) => {
        for (const revocation of REVOCATIONS.toReversed()) revocations.add(revocation);
      });
      expect(state.revocations.load()).toEqual(REVOCATIONS);
      await state.close();
    });

    it('forgets what is lifted, and does nothing where there is nothing to lift', async () => {
      const [first, second, ...others] = REVOCATIONS as [Revocation, Revocation, ...Revocation[]];
      const [, state] = await reopened(({ revocations }) => {
        for (const revocation of REVOCATIONS) revocations.add(revocation);
        revocations.remove(second.id);
        revocations.remove('no such');
      });
      expect(state.revocations.load()).toEqual([first, ...others]);
      state.revocations.add(second);
      expect(state.revocations.load()).toEqual(REVOCATIONS);
      await state.close();
    });

    it('has a revocation kept when the call returns, whatever becomes of the process', async () => {
      const state = await place.open();
      state.revocations.add(REVOCATIONS[0]!);
      const other = place.beside();
      expect(other.revocations.load()).toEqual([REVOCATIONS[0]]);
      other.close();
      await state.close();
    });

    it('keeps everyone out rather than ignore a revocation of an unknown kind', async () => {
      const [, state] = await reopened(() => undefined);
      await place.addUnknownRevocation();
      expect(() => state.revocations.load()).toThrow('unknown kind');
      expect(() => new InstanceRegistry({ clock: systemClock, store: state.revocations })).toThrow();
      await state.close();
    });

    it('refuses after a restart who was revoked before it, and nobody else', async () => {
      const one = principal({ deadline: Date.now() + 3_600_000 });
      const soon = Date.now() + 300_000;
      const [stopped, state] = await reopened(({ revocations }) => {
        const instances = new InstanceRegistry({ clock: systemClock, store: revocations });
        instances.renew(one, soon);
        return instances.revoke({ login: one.login });
      });
      expect(stopped).toBe(1);
      const instances = new InstanceRegistry({ clock: systemClock, store: state.revocations });
      await refused(() => instances.admit(one, soon), 'ERR_REVOKED');
      instances.admit({ ...one, login: 'lgn_2' }, soon);
      await state.close();
    });
  });
}
