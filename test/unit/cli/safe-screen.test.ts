import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SafeScreen } from '../../../src/cli/replay/safe-screen.ts';

const esc = String.fromCharCode(27);
const bel = String.fromCharCode(7);
const csi = `${esc}[`;

describe('what is drawn on the terminal of who watches', () => {
  test.each([
    ['colours', `${csi}31;1mred${csi}0m${csi}38;5;8mx${csi}48:2::1:2:3my${csi}m`],
    ['movements', `a\b b\r\n\t${csi}2;3Hx${csi}A${csi}10Gy${esc}7${esc}8${esc}M${csi}s${csi}u`],
    [
      'what erases, inserts and scrolls',
      `${csi}2J${csi}K${csi}3L${csi}P${csi}4@${csi}5X${csi}1;20r${csi}S${csi}T${csi}80b`,
    ],
    ['the other screen, the cursor', `${csi}?1049h${csi}?25l${csi}?7l${csi}?25h${csi}?1049l`],
    ['lines and letters', `${esc}(0lqk${esc}(B ä日本 \ue0b0 👩\u200d🚀`],
  ])('%s are as they were', (_, text) => {
    expect(new SafeScreen().push(text)).toBe(text);
  });

  test.each([
    ['a title', `${esc}]0;t${bel}${esc}]2;t${esc}\\`],
    ['the clipboard', `${esc}]52;c;aGk=${bel}${esc}]52;c;?${esc}\\`],
    ['a link', `${esc}]8;;http://x${esc}\\`],
    [
      'a notification, a font',
      `${esc}]9;hi${bel}${esc}]777;x${bel}${esc}]50;x${bel}${esc}]1337;File=:AA${bel}`,
    ],
    [
      'questions',
      `${csi}6n${csi}5n${csi}c${csi}>c${csi}=c${esc}Z${csi}?6n${csi}>q${csi}18t${csi}x${esc}]11;?${bel}`,
    ],
    ['device control', `${esc}P$qm${esc}\\${esc}P+q544e${esc}\\${esc}P1;2qsixel\nmore${esc}\\`],
    ['other strings', `${esc}_Ga=T;AAAA${esc}\\${esc}^x${esc}\\${esc}Xx${esc}\\`],
    ['windows, printing, locators', `${csi}3;0;0t${csi}8;1;1t${csi}5i${csi}?5i${csi}1'z`],
    [
      'modes of keys and mouse',
      `${csi}?1h${csi}?1000h${csi}?1006h${csi}?2004h${csi}?1004h${csi}>1u${csi}?66h${csi}20h${esc}=${esc}>`,
    ],
    [
      'what changes more than the screen',
      `${csi}!p${csi}2 q${csi}3J${esc}#8${esc}%G${esc}H${csi}g${csi}99999b${csi}9999b`,
    ],
    ['bells, NUL, delete, C1', `${bel}\0\u007f\u009b6n`.replace('6n', '')],
    ['what is written and not seen', `${csi}8m${csi}08m\u200b\ufeff\u00ad`],
  ])('%s is left out', (_, text) => {
    expect(new SafeScreen().push(`a${text}b`)).toBe('ab');
    const screen = new SafeScreen();
    expect([...`a${text}b`].map((one) => screen.push(one)).join('')).toBe('ab');
  });

  test('text that turns round, and ends of lines that no terminal knows, are seen', () => {
    expect(new SafeScreen().push('a\u202eb\u2066c\u2028d')).toBe('a\ufffdb\ufffdc\ufffdd');
  });

  test('of several modes those that may stay', () => {
    expect(new SafeScreen().push(`${csi}?1049;2004;25h${csi}1;8;4m`)).toBe(`${csi}?1049;25h${csi}1;4m`);
  });

  test('a title without an end hides its line, and nothing behind it', () => {
    expect(new SafeScreen().push(`${esc}]0;rm -rf /\r\nshown`)).toBe('\r\nshown');
    expect(new SafeScreen().push(`${esc}P${'x'.repeat(1024 * 1024 + 1)}shown`)).toBe('shown');
    expect(new SafeScreen().push(`${esc}P\u0018shown${esc}_${csi}1mx`)).toBe(`shown${csi}1mx`);
  });

  test('a reset is one of the screen', () => {
    expect(new SafeScreen().push(`${esc}c`)).toBe(`${csi}m${csi}r${csi}H${csi}2J`);
  });

  test('the terminal is given back, once, and only where something was drawn', () => {
    const screen = new SafeScreen();
    expect(screen.leave()).toBe('');
    screen.push(`${csi}?1049h${csi}5;9r${csi}?25l${csi}7m`);
    const left = screen.leave();
    expect(left).toContain(`${csi}?1049l`);
    expect([`${csi}m`, `${csi}r`, `${csi}?25h`].every((one) => left.includes(one))).toBe(true);
    expect(screen.leave()).toBe('');
  });

  test('the cursor stays where the next line is to be: counting rows from the margin goes only where it came', () => {
    const screen = new SafeScreen();
    screen.push('x');
    expect(screen.leave()).not.toContain('?6l');
    screen.push(`${csi}?6h`);
    expect(screen.leave()).toContain(`${csi}?6l${csi}9999;1H`);
  });

  test('whatever comes, nothing else goes on, and pieces change nothing', () => {
    const pieces = [
      esc,
      '[',
      ']',
      'P',
      '?',
      ';',
      '1',
      '8',
      '52',
      'h',
      'm',
      'J',
      'c',
      'n',
      't',
      '\\',
      bel,
      '\n',
      'é',
      '\u009d',
      'X',
    ];
    const allowed = new RegExp(
      [
        `${esc}\\[[\\d;:]{0,64}[@-HJ-MPSTXZ\`adefmrsubhlfI]`,
        `${esc}\\[\\?[\\d;]+[hlJK]`,
        `${esc}\\[\\?[JK]`,
        `${esc}[78DEM]`,
        `${esc}[()][0AB]`,
      ].join('|'),
      'g',
    );
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.constantFrom(...pieces), fc.string({ unit: 'binary', maxLength: 3 }))),
        (parts) => {
          const text = parts.join('');
          const whole = new SafeScreen().push(text);
          expect([...whole.replace(allowed, '')].filter(isControl)).toEqual([]);
          const screen = new SafeScreen();
          expect([...text].map((one) => screen.push(one)).join('')).toBe(whole);
        },
      ),
      { numRuns: 1500 },
    );
  });
});

/** But backspace, tab, line ends and the choice of letters. */
function isControl(character: string): boolean {
  const code = character.codePointAt(0)!;
  return (code < 0x20 && ![8, 9, 10, 13, 14, 15].includes(code)) || (code >= 0x7f && code < 0xa0);
}
