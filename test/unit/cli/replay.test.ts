import { describe, expect, test } from 'vitest';
import type { ReplayFrame } from '../../../src/api/replay.ts';
import { ReplayPrinter } from '../../../src/cli/replay/printer.ts';

const esc = String.fromCharCode(27);
const bel = String.fromCharCode(7);

/** What is written for these frames, one after the other. */
function play(...frames: object[]): string {
  const printer = new ReplayPrinter();
  return frames
    .map((frame) => printer.push({ schemaVersion: 1, atMs: 1250, ...frame } as ReplayFrame))
    .join('');
}

const lines = (...frames: object[]) =>
  play(...frames)
    .split('\n')
    .slice(0, -1);
const output = (text: string) => ({ kind: 'screen', channel: 'output', text });

describe('tables', () => {
  test('shows statements, aligned results, refusals and the end', () => {
    expect(
      lines(
        { kind: 'request', text: 'select\n  id, name', operation: 'op_1' },
        { kind: 'columns', names: ['id', 'name'] },
        { kind: 'row', values: ['1', '日本'] },
        { kind: 'row', values: ['22', null] },
        { kind: 'complete', tag: 'SELECT 2' },
        { kind: 'request', text: `drop${esc}[2J`, operation: 'op_2', atMs: 61_000 },
        { kind: 'error', status: '42501', message: 'denied', hint: `a${esc}b` },
        { kind: 'end', reason: 'client left', complete: false },
      ),
    ).toEqual([
      '[00:01.250] > select',
      `${' '.repeat(14)}  id, name`,
      ' id | name',
      '----+------',
      ' 1  | 日本',
      ' 22 | ∅',
      'SELECT 2',
      '[01:01.000] > drop\\x1b[2J',
      'ERROR 42501: denied',
      'hint: a\\x1bb',
      '[00:01.250] -- end of the recording, which is not complete: client left',
    ]);
  });

  test('shows the headings of an empty result, and large ones in parts with one heading', () => {
    expect(lines({ kind: 'columns', names: ['id'] }, { kind: 'complete', tag: 'SELECT 0' })).toEqual([
      ' id',
      '----',
      'SELECT 0',
    ]);
    const rows = Array.from({ length: 450 }, (_, i) => ({ kind: 'row', values: [String(i)] }));
    const shown = lines({ kind: 'columns', names: ['n'] }, ...rows, { kind: 'complete', tag: 'SELECT 450' });
    expect(shown).toHaveLength(450 + 3);
    expect(shown.filter((line) => line === ' n')).toHaveLength(1);
  });

  test('streams that take turns are told apart, each with its own table', () => {
    expect(
      lines(
        { kind: 'columns', names: ['a'] },
        { kind: 'row', values: ['1'] },
        { stream: 3, kind: 'columns', names: ['b'] },
        { stream: 3, kind: 'row', values: ['9'] },
        { kind: 'row', values: ['2'] },
        { kind: 'complete', tag: 'SELECT 2' },
        { stream: 3, kind: 'closed', reason: 'client left' },
        { kind: 'end', reason: 'done', complete: true },
      ),
    ).toEqual([
      ' a',
      '---',
      ' 1',
      '-- stream 3',
      ' b',
      '---',
      ' 9',
      '-- stream 0',
      ' 2',
      'SELECT 2',
      '-- stream 3',
      '[00:01.250] -- end of stream 3: client left',
      '[00:01.250] -- end of the session: done',
    ]);
  });
});

describe('terminals', () => {
  test('output comes as it came, lines of others begin at the left', () => {
    expect(
      play(
        { kind: 'resize', columns: 80, rows: 24 },
        output('$ '),
        output('ls\r\n'),
        { kind: 'screen', channel: 'input', text: 'typed, and shown by the terminal' },
        output('a\tb\r\n$ '),
        { kind: 'status', status: 'exit 0' },
      ),
    ).toBe('-- terminal of 80 × 24\n$ ls\na\tb\n$ \n-- exit 0\n');
  });

  test('what is piped in is shown, as no terminal does; stderr too', () => {
    expect(
      play(
        { kind: 'screen', channel: 'input', text: 'in\n' },
        { kind: 'screen', channel: 'stderr', text: 'err\n' },
      ),
    ).toBe('in\nerr\n');
  });

  const hostile: readonly (readonly [string, string, string])[] = [
    ['colours and movements', `${esc}[31mred${esc}[0m${esc}[2J${esc}[1;1H!`, 'red!'],
    ['a title, a link and the clipboard', `${esc}]0;t${bel}${esc}]52;c;aGk=${esc}\\x`, 'x'],
    ['device control', `${esc}P+q544e${esc}\\y${esc}_z${esc}\\`, 'y'],
    ['questions to the terminal', `${esc}[6n${esc}[c${esc}Zq`, 'q'],
    ['what is written over', '10%\r20%\r\n', '10%\n20%\n'],
    ['what hides or turns letters', 'a\u202eb\u200bc\u009b31m', 'a\\u202eb\\u200bc\\x9b31m'],
    ['backspaces', 'ab\b \b', 'ab\\x08 \\x08'],
  ];
  test.each(hostile)('D8: passes nothing on: %s', (_, text, shown) => {
    expect(play(output(text))).toBe(shown);
    // The same in pieces of one character, and in octets.
    expect(play(...[...text].map(output))).toBe(shown);
    const octets = [...Buffer.from(text)].map((octet) => Buffer.from([octet]).toString('base64'));
    expect(play(...octets.map((base64) => ({ kind: 'screen', channel: 'output', base64 })))).toBe(shown);
  });

  test('a sequence without an end hides nothing that comes behind it', () => {
    const shown = play(output(`${esc}]0;`), ...Array.from({ length: 300 }, () => output('rm -rf / ')), {
      kind: 'end',
      reason: 'done',
      complete: true,
    });
    expect(shown).not.toContain(esc);
    expect(shown.split('rm -rf /')).toHaveLength(301);
  });

  test('one that was begun when the recording ends is shown', () => {
    expect(play(output(`a${esc}[3`), { kind: 'end', reason: 'x', complete: true })).toBe(
      'a\n\\x1b[3\n[00:01.250] -- end of the session: x\n',
    );
  });
});

describe('terminals that are drawn', () => {
  const drawn = (...frames: object[]) => {
    const printer = new ReplayPrinter(true);
    return frames
      .map((frame) => printer.push({ schemaVersion: 1, atMs: 1250, ...frame } as ReplayFrame))
      .join('');
  };

  test('are as they were, without what touches more than the screen, and are left when the program ends', () => {
    const shown = drawn(
      { kind: 'resize', columns: 80, rows: 24 },
      output(`${esc}[?1049h${esc}[31mred${esc}]0;t${bel}`),
      { kind: 'resize', columns: 81, rows: 24 },
      { kind: 'screen', channel: 'input', text: 'typed' },
      { kind: 'status', status: 'exit 0' },
    );
    expect(shown).toMatch(/^-- terminal of 80 × 24\n/);
    expect(shown).toContain(`${esc}[?1049h${esc}[31mred${esc}7`);
    expect(shown).toMatch(/-- exit 0\n$/);
    expect(shown.indexOf(`${esc}[?1049l`)).toBeLessThan(shown.indexOf('-- exit 0'));
    expect([shown.includes(bel), shown.includes('typed'), shown.includes('81')]).toEqual([
      false,
      false,
      false,
    ]);
  });

  test('what had no terminal is text', () => {
    expect(drawn(output(`${esc}[31mred\n`))).toBe('red\n');
  });
});

describe('exchanges', () => {
  const head = (side: string, start: string, fields: readonly (readonly [string, string])[] = []) => ({
    kind: 'exchange',
    operation: 'op_1',
    side,
    head: { start, fields },
  });
  const body = (side: string, octets: object) => ({
    kind: 'exchange',
    operation: 'op_1',
    side,
    body: octets,
  });

  test('shows heads and bodies', () => {
    expect(
      lines(
        { kind: 'request', text: 'POST /v1/orders', operation: 'op_1' },
        head('request', 'POST /v1/orders?page=2', [['host', 'api']]),
        body('request', { text: '{"a":1}' }),
        head('response', '201', [['set-cookie', `a${esc}b`]]),
        body('response', { text: 'one\r\n' }),
        body('response', { base64: Buffer.from('tw\xc3', 'latin1').toString('base64') }),
        body('response', { base64: Buffer.from('\xb6\n', 'latin1').toString('base64') }),
        { kind: 'note', text: 'cut' },
      ),
    ).toEqual([
      '[00:01.250] > POST /v1/orders',
      '> POST /v1/orders?page=2',
      '> host: api',
      '>',
      '{"a":1}',
      '< 201',
      '< set-cookie: a\\x1bb',
      '<',
      'one',
      'twö',
      '-- cut',
    ]);
  });

  test('that were upgraded go on as messages, a line each', () => {
    const message = (channel: string, octets: object) => ({
      kind: 'screen',
      channel,
      operation: 'op_1',
      ...octets,
    });
    expect(
      lines(
        { kind: 'request', text: 'GET /feed', operation: 'op_1' },
        head('response', '101', [['upgrade', 'websocket']]),
        message('input', { text: '{"a":1}' }),
        message('output', { text: `two\nlines ${esc}[2J` }),
        message('output', { base64: Buffer.from([0, 1, 2]).toString('base64') }),
      ),
    ).toEqual([
      '[00:01.250] > GET /feed',
      '< 101',
      '< upgrade: websocket',
      '<',
      '> {"a":1}',
      '< two\\nlines \\x1b[2J',
      '< -- 3 octets',
    ]);
  });

  test('are told apart where several go on at once', () => {
    const other = (frame: object) => ({ ...frame, operation: 'op_2' });
    expect(
      lines(
        { kind: 'request', text: 'GET /one', operation: 'op_1' },
        { kind: 'request', text: 'GET /two', operation: 'op_2' },
        other(head('response', '200')),
        other(body('response', { base64: Buffer.from('tw\xc3', 'latin1').toString('base64') })),
        head('response', '404'),
        other(body('response', { base64: Buffer.from('\xb6\n', 'latin1').toString('base64') })),
      ),
    ).toEqual([
      '[00:01.250] > GET /one',
      '[00:01.250] > GET /two',
      '< 200',
      '<',
      'tw',
      '-- op_1 GET /one',
      '< 404',
      '<',
      '-- op_2 GET /two',
      'ö',
    ]);
  });

  test('what is no text is told by its size, to the end of that body', () => {
    expect(
      lines(
        head('response', '200'),
        body('response', { base64: Buffer.from([0x89, 0x50, 0x4e, 0x47]).toString('base64') }),
        body('response', { text: 'IHDR' }),
        head('response', '200'),
        body('response', { text: 'text again\n' }),
      ),
    ).toEqual(['< 200', '<', '-- 4 octets', '-- 4 octets', '< 200', '<', 'text again']);
  });
});

test('a kind of a newer gateway is shown as JSON, and a broken recording says so', () => {
  expect(
    lines({ kind: 'cube', faces: 6, name: `x${esc}` }, { kind: 'broken', message: 'damaged or changed' }),
  ).toEqual([
    '{"schemaVersion":1,"atMs":1250,"kind":"cube","faces":6,"name":"x\\\\u001b"}'.replace('\\\\', '\\'),
    '[00:01.250] -- damaged or changed',
  ]);
});
