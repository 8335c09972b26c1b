import { describe, expect, test } from 'vitest';
import { qrModules } from '../../../../src/cli/ui/world/qr.ts';
import type { Charset } from '../../../../src/core/terminal/charset.ts';
import { readQr } from '../../../support/ui/read-qr.ts';
import { Bench, NOW } from '../../../support/ui/state.ts';

const URI = 'https://login.example.com/realms/shop/device?user_code=WDJB-MJHT';

async function loggingIn(
  size: { readonly columns: number; readonly rows: number },
  uri = URI,
  charset: Charset = 'utf-8',
): Promise<Bench> {
  const bench = new Bench(size, charset);
  const failure = { code: 'ERR_NOT_LOGGED_IN', message: 'not logged in' };
  bench.tell({ type: 'disconnected', failure, exit: 67 });
  bench.press('L');
  const code = {
    uri,
    userCode: 'WDJB-MJHT',
    expiresAt: NOW,
    as: 'to https://gw.test',
    qr: await qrModules(uri),
  };
  bench.tell({ type: 'login', code });
  return bench;
}

describe('the QR code of a login', () => {
  test.each([
    ['https://a.test/x'],
    [URI],
    [`https://login.example.com/device?user_code=WDJB-MJHT&state=${'long'.repeat(20)}`],
  ])('is what a decoder reads as %s', async (uri) => {
    const { screen } = { screen: (await loggingIn({ columns: 160, rows: 50 }, uri)).screen() };
    expect(readQr(screen)).toBe(uri);
    expect(screen).toContain('WDJB-MJHT');
  });

  test.each([
    [100, 24],
    [140, 40],
    [220, 60],
  ])('stands beside the large letters in a window of %i × %i', async (columns, rows) => {
    const screen = (await loggingIn({ columns, rows })).screen();
    expect(readQr(screen)).toBe(URI);
    expect(screen).toMatch(/█ {3}█ {2}███ /);
  });

  test.each([
    [80, 24],
    [100, 16],
    [40, 8],
  ])('is left out, and the code is not, in a window of %i × %i', async (columns, rows) => {
    const screen = (await loggingIn({ columns, rows })).screen();
    expect(readQr(screen)).toBeUndefined();
    expect(screen).toContain('https://login.example.com');
    expect(screen).toContain('WDJB-MJHT');
  });

  test.each([
    [160, 50],
    [161, 50],
    [200, 50],
  ])('is drawn in ASCII where the terminal shows no more, in a window of %i × %i', async (columns, rows) => {
    const screen = (await loggingIn({ columns, rows }, URI, 'ascii')).screen();
    expect(screen).toMatch(/^[ -~\n]*$/);
    expect(screen).toMatch(/# {3}# {2}### /);
    const read = [false, true].map((odd) => readQr(screen, { ascii: true, odd }));
    expect(read).toContain(URI);
  });

  test('is left out where it has no room in ASCII', async () => {
    const screen = (await loggingIn({ columns: 100, rows: 24 }, URI, 'ascii')).screen();
    expect(screen).toContain('In a larger window there is a QR code');
    expect(screen).toMatch(/^[ -~\n]*$/);
  });

  test.each([
    ['no web address', 'javascript:alert(1)'],
    ['what moves a cursor', 'https://a.test/\x1b[2J'],
    ['too long', `https://a.test/${'x'.repeat(300)}`],
  ])('is not made of %s', async (_, uri) => {
    expect(await qrModules(uri)).toBeUndefined();
    expect((await loggingIn({ columns: 160, rows: 50 }, uri)).screen()).toContain('WDJB-MJHT');
  });
});
