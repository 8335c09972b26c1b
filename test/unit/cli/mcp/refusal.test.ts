import { describe, expect, it } from 'vitest';
import type { Explanation } from '../../../../src/api/explanation.ts';
import { refusalAfter, refusalIn, refusalOf } from '../../../../src/cli/mcp/refusal.ts';
import { refusalInError } from '../../../../src/cli/mcp/tools/postgres/refusal.ts';
import { type ErrorCode, HoopError } from '../../../../src/core/errors.ts';

const explanation: Explanation = {
  schemaVersion: 1,
  effect: 'deny',
  told: { message: 'no\u202e', rule: 'kept', reason: 'orders are kept', hint: 'cancel it', next: 'instead' },
  pairs: [],
  rules: [],
  policyVersion: '0',
};

describe('a refusal that is foreseen', () => {
  it('is none where it would run', () => {
    expect(refusalIn({ ...explanation, effect: 'allow' })).toBeUndefined();
  });

  it('has the rule, why, and what to do instead', () => {
    expect(refusalIn(explanation)).toEqual({
      code: 'ERR_DENIED',
      rule: 'kept',
      message: 'no\\u202e',
      reason: 'orders are kept',
      hint: 'cancel it',
      next: 'instead',
      retryable: false,
    });
  });

  it('names who would say yes, and the tool that asks them', () => {
    expect(refusalIn({ ...explanation, effect: 'hold', approvals: ['dba', 'boss'] })).toMatchObject({
      code: 'ERR_APPROVAL_REQUIRED',
      approvals: ['dba', 'boss'],
      hint: expect.stringMatching(/^it needs the approval of dba and boss: call request_approval/),
      retryable: true,
    });
  });

  it('says of what the server gave up how it is started otherwise', () => {
    const told = { ...explanation.told!, rule: 'attenuated', hint: '--read-only took it away' };
    expect(refusalIn({ ...explanation, told })?.hint).toMatch(/hoopctl mcp with --write/);
  });
});

describe('a refusal by an error of ours', () => {
  it.each<[ErrorCode, boolean, RegExp]>([
    ['ERR_LOGIN_EXPIRED', true, /^ask the person you work for .*hoopctl login$/],
    ['ERR_NOT_LOGGED_IN', true, /^ask the person you work for .*hoopctl login$/],
    ['ERR_REVOKED', false, /ended this server for good/],
    ['ERR_GATEWAY_UNREACHABLE', true, /make this call again in a while$/],
    ['ERR_APPROVAL_REQUIRED', true, /^call request_approval with the resource/],
    ['ERR_NO_ACCESS', false, /^list_resources/],
    ['ERR_GATEWAY_TLS', false, /^as it was$/],
    ['ERR_DENIED', false, /^as it was$/],
  ])('%s: retryable %s, and what to do', (code, retryable, hint) => {
    const refusal = refusalOf(
      new HoopError(
        code,
        undefined,
        code === 'ERR_GATEWAY_TLS' || code === 'ERR_DENIED' ? { hint: 'as it was' } : {},
      ),
    );
    expect(refusal).toMatchObject({ code, rule: code, retryable, hint: expect.stringMatching(hint) });
  });

  it('names the request that waits', () => {
    const error = new HoopError('ERR_APPROVAL_REQUIRED', undefined, { approval: 'apr_1' });
    expect(refusalOf(error)).toMatchObject({ approval: 'apr_1', hint: expect.stringContaining('apr_1') });
  });

  it('tells nothing of an internal error but that it is one', () => {
    const error = new HoopError('ERR_INTERNAL', undefined, { detail: '/home/ada/secret' });
    expect(JSON.stringify(refusalOf(error))).not.toContain('ada');
  });

  it('says how long was waited', () => {
    expect(refusalAfter(30)).toMatchObject({
      rule: 'timeout',
      message: expect.stringContaining('30 s'),
      retryable: true,
    });
  });
});

describe('a refusal that comes with an answer', () => {
  const error = (hint?: string) =>
    refusalInError({
      name: 'ErrorResponse',
      fields: [['C', '42501'], ['M', 'no\u001b'], ...(hint === undefined ? [] : [['H', hint] as const])],
    });

  it("is read from the gateway's word, and marked: a target can have written it", () => {
    const word =
      '{"rule":"few","reason":"at most 50","hint":"change fewer","next":"ask","retryable":true,"approval":"apr_1"}';
    expect(error(word)).toEqual({
      status: '42501',
      message: 'no\\x1b',
      rule: 'few',
      reason: 'at most 50',
      hint: 'change fewer',
      next: 'ask',
      retryable: true,
      approval: 'apr_1',
      untrusted: expect.any(String),
    });
  });

  it.each([['plain words'], ['[1]'], ['{"rule":7}'], ['null'], ['{"hint":"x"}']])(
    'keeps %s as it is',
    (hint) => {
      expect(error(hint)).toMatchObject({ hint, retryable: false });
      expect(error(hint)).not.toHaveProperty('rule');
    },
  );

  it('may have no hint', () => {
    expect(error()).not.toHaveProperty('hint');
  });

  it.each([
    ['42703', 'correct'],
    ['42P01', 'correct'],
    ['22P02', 'correct'],
    ['23505', 'correct'],
    ['42501', 'report'],
    ['57014', 'less'],
    ['40001', 'again'],
    ['55P03', 'again'],
    ['55000', 'correct'],
    ['57P01', 'again'],
    ['XX000', 'report'],
  ])('of the server alone: %s is followed by %s', (state, next) => {
    const fields = [
      ['C', state],
      ['M', 'no'],
    ] as const;
    expect(refusalInError({ name: 'ErrorResponse', fields })).toMatchObject({ status: state, next });
  });

  it.each([
    [undefined, 'describe_schema names what there is'],
    ['as it was', 'as it was; describe_schema names what there is'],
  ])('and of a name that is not there says which tool knows them', (hint, told) => {
    const fields = [
      ['C', '42P01'],
      ['M', 'no'],
      ...(hint === undefined ? [] : [['H', hint] as const]),
    ] as const;
    expect(refusalInError({ name: 'ErrorResponse', fields }).hint).toBe(told);
  });
});
