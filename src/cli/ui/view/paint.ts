import type { Line, Tone } from './line.ts';

/** What begins and what ends a look, in SGR. */
type Look = readonly [on: string, off: string];

const LOOKS: Readonly<Record<Exclude<Tone, 'plain'>, Look>> = {
  dim: ['2', '22'],
  strong: ['1', '22'],
  chosen: ['7', '27'],
  good: ['32', '39'],
  bad: ['31', '39'],
  warn: ['33', '39'],
  accent: ['36', '39'],
  code: ['30;107', '39;49'],
  ink: ['30;40', '39;49'],
};
const COLOURS: ReadonlySet<Tone> = new Set(['good', 'bad', 'warn', 'accent', 'code', 'ink']);

/**
 * A line with its looks as sequences of the terminal. Neighbours of one look are written as one.
 *
 * Pure. @param spans Their text is safe already: nothing in it begins a sequence.
 */
export function paintedLine(spans: Line, colour: boolean): string {
  let painted = '';
  let now: Look | undefined;
  for (const { text, tone } of spans) {
    if (text === '') continue;
    const look = tone === 'plain' || (COLOURS.has(tone) && !colour) ? undefined : LOOKS[tone];
    if (look !== now) {
      if (now !== undefined) painted += sgr(now[1]);
      if (look !== undefined) painted += sgr(look[0]);
      now = look;
    }
    painted += text;
  }
  return now === undefined ? painted : painted + sgr(now[1]);
}

function sgr(code: string): string {
  return `\x1b[${code}m`;
}
