import { inspect } from 'node:util';
import { expect } from 'vitest';
import type { Clock } from '../../../src/core/clock.ts';
import { type ErrorCode, isHoopError } from '../../../src/core/errors.ts';
import type { Principal } from '../../../src/identity/principal.ts';
import type { RevocationStore } from '../../../src/identity/revocations.ts';
import type { VerifiedSubject } from '../../../src/identity/subject.ts';
import type { Revocation } from '../../../src/storage/revocations.ts';

export const START = Date.parse('2026-03-01T12:00:00Z');

/** A clock that stands still until it is moved. */
export class HandClock implements Clock {
  #now: number;

  constructor(now: number = START) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  advance(ms: number): void {
    this.#now += ms;
  }
}

export async function codeOf(action: () => unknown): Promise<ErrorCode | undefined> {
  try {
    await action();
    return undefined;
  } catch (error) {
    if (!isHoopError(error)) throw error;
    return error.code;
  }
}

/** The action fails with this code; gives back the text for more checks. */
export async function refused(action: () => unknown, code: ErrorCode): Promise<string> {
  try {
    await action();
  } catch (error) {
    if (!isHoopError(error)) throw error;
    expect(error.code).toBe(code);
    // Whatever a log could make of it, no token is in it: every JWT begins with {" in base64url.
    expect(inspect(error, { depth: 6 })).not.toContain('eyJ');
    return `${error.message} | ${error.hint ?? ''}`;
  }
  throw new Error(`was not refused with ${code}`);
}

export class MemoryStore implements RevocationStore {
  readonly kept = new Map<string, Revocation>();

  load(): readonly Revocation[] {
    return [...this.kept.values()];
  }

  add(revocation: Revocation): void {
    this.kept.set(revocation.id, revocation);
  }

  remove(id: string): void {
    this.kept.delete(id);
  }
}

export function principal(overrides: Partial<Principal> = {}): Principal {
  return {
    kind: 'agent',
    name: 'shop-copilot',
    groups: ['ai-agents'],
    person: {
      issuer: 'https://login.example.com',
      subject: 'u1',
      name: 'alice@example.com',
      groups: ['developers'],
    },
    issuer: 'https://login.example.com',
    subject: 'u1',
    attested: { model: 'm', modelVersion: '1' },
    declared: {},
    instance: 'ins_1',
    login: 'lgn_1',
    keyThumbprint: 'thumb-1',
    signedInAt: START,
    deadline: START + 3_600_000,
    ...overrides,
  };
}

export function subject(overrides: Partial<VerifiedSubject> = {}): VerifiedSubject {
  return {
    type: 'id_token',
    issuer: 'https://login.example.com',
    subject: 'u1',
    claims: {},
    name: 'alice@example.com',
    groups: ['developers'],
    attested: {},
    signedInAt: START,
    signInKnown: true,
    login: 'lgn_1',
    tokenExpiresAt: START + 300_000,
    tokenId: undefined,
    ...overrides,
  };
}
