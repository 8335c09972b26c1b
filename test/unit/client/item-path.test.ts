import { expect, test } from 'vitest';
import { PATHS } from '../../../src/api/contract.ts';
import { itemPath } from '../../../src/client/item-path.ts';

const TAIL = '01M8NMNP4Q2B2HHKXBDCZMZK76';

test.each([
  [PATHS.sessions, `ses_${TAIL}`, `/v1/sessions/ses_${TAIL}`],
  [PATHS.approvals, `apr_${TAIL}`, `/v1/approvals/apr_${TAIL}`],
  [PATHS.auditChains, 'hoopd-1/boot_2/0', '/v1/audit/chains/hoopd-1%2Fboot_2%2F0'],
])('below %s, %s is %s', (path, id, whole) => expect(itemPath(path, id)).toBe(whole));

test.each([
  [PATHS.sessions, 'ses_nope', /a session: ses_/, /session list/],
  [PATHS.sessions, `apr_${TAIL}`, /a session/, /^it is that of a request: hoopctl approval show apr_/],
  [PATHS.approvals, '../x', /a request: apr_/, /approval list/],
  [PATHS.auditEvents, '', /an event: evt_/, /audit search/],
  [PATHS.revocations, `rev_${TAIL}x`, /a revocation: rev_/, /revocation list/],
])('below %s, %s is not asked for', (path, id, message, hint) => {
  expect(() => itemPath(path, id)).toThrow(
    expect.objectContaining({
      code: 'ERR_USAGE',
      message: expect.stringMatching(message),
      hint: expect.stringMatching(hint),
    }),
  );
});
