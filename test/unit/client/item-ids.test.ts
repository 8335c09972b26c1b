import { describe, expect, test, vi } from 'vitest';
import { PATHS } from '../../../src/api/contract.ts';
import { demandId, isItemId, shortLength, timesOf, wholeId } from '../../../src/client/item-ids.ts';
import { newId } from '../../../src/core/ids/make.ts';

const A = 'ses_01M8P8PNC6H0VKJRMPHDFVV809';
const B = 'ses_01M8P8PNC6H0VKJRMPHDFVV80A';
const OTHER = 'ses_01M8P8PK6VFYS5J23BP62P29PV';

describe('the id that somebody means', () => {
  const among =
    (...ids: string[]) =>
    async () =>
      ids;

  test('is the whole one, and nobody is asked', async () => {
    const listed = vi.fn(among());
    expect(await wholeId(PATHS.sessions, A, listed)).toBe(A);
    expect(await wholeId(PATHS.auditChains, 'any/thing', listed)).toBe('any/thing');
    expect(listed).not.toHaveBeenCalled();
  });

  test('is the only one that begins so, also where the gateway names more than it was asked for', async () => {
    expect(await wholeId(PATHS.sessions, OTHER.slice(0, 14), among(A, OTHER))).toBe(OTHER);
    expect(await wholeId(PATHS.sessions, A.slice(0, 29), among(A, A))).toBe(A);
  });

  test('is asked for again where several begin so, and names them', async () => {
    await expect(wholeId(PATHS.sessions, A.slice(0, 14), among(A, B))).rejects.toMatchObject({
      code: 'ERR_USAGE',
      message: expect.stringContaining('several begin with ses_01M8P8PNC6'),
      hint: `it is one of ${A}, ${B}`,
    });
  });

  test('is none where nothing begins so that one may see', async () => {
    await expect(wholeId(PATHS.approvals, 'apr_01M8', among('apr_02'))).rejects.toMatchObject({
      code: 'ERR_NO_ACCESS',
      hint: 'see: hoopctl approval list --status all',
    });
  });
});

test.each(['ses_', 'ses_01M', '01M8P8PNC6', 'ses_01m8p8pnc6', `${A}0`, 'ses_01M8%', 'evt_01M8P8PNC6', ''])(
  '%s is no id of a session, and not the beginning of one',
  (text) => expect(() => demandId(PATHS.sessions, text)).toThrow(/is not the id of a session/),
);

describe('a table', () => {
  test('shows as much of ids as tells them apart', () => {
    expect(shortLength([OTHER, A])).toBe(14);
    expect(shortLength([B, OTHER, A])).toBe(30);
    expect(shortLength([A, A])).toBe(14);
    expect(shortLength([])).toBe(10);
  });

  test('shortens no other text', () => {
    expect([A, A.replace('ses', 'apr')].every(isItemId)).toBe(true);
    for (const text of [A.replace('ses', 'ins'), A.slice(1), `${A}0`, ` ${A}`, 'ses_01M8P8PNC6'])
      expect(isItemId(text)).toBe(false);
  });
});

test('the beginning of an id says when it was made', () => {
  const now = Date.UTC(2026, 10, 30, 13, 0, 58, 631);
  const id = newId('evt', now);
  for (const length of [4, 8, 10, 17, 26]) {
    const { since, until } = timesOf(id.slice(0, 4 + length));
    expect(Date.parse(since)).toBeLessThanOrEqual(now);
    expect(Date.parse(until)).toBeGreaterThan(now);
  }
  expect(timesOf(id)).toEqual({
    since: '2026-11-30T13:00:58.631Z',
    until: '2026-11-30T13:00:58.633Z',
  });
  expect(timesOf('evt_ZZZZ').until).toBe('9999-01-01T00:00:00.000Z');
});
