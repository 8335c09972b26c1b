import { transcriptRows } from '../state/layout.ts';
import type { Transcript, UiState } from '../state/model.ts';
import { failureText } from '../state/notices.ts';
import { barsOf, countsOver } from './bars.ts';
import { type Line, line, span } from './line.ts';

const SPARKS = 16;
const HEADS: Readonly<Record<Transcript['status'], string>> = {
  loading: 'loading …',
  live: 'live',
  whole: '',
  cut: 'the beginning of it: hoopctl session replay has all',
  failed: '',
};

/** What a session showed, below one line that says of whom it is, with sparklines of what was asked and refused. */
export function transcriptLines(state: UiState, transcript: Transcript): readonly Line[] {
  const { session, lines, top, status, failure, asked, refused } = transcript;
  const rows = transcriptRows(state.size);
  const last = Math.max(1, ...asked, ...refused);
  const counts = countsOver(asked, 0, last, SPARKS);
  const bad = countsOver(refused, 0, last, SPARKS);
  const peak = Math.max(1, ...counts);
  const head = [
    span(` ${session.resource} `, 'strong'),
    span(`${session.actor}  `, 'dim'),
    span(`${asked.length} asked `),
    span(barsOf(counts, peak), 'accent'),
    span(`  ${refused.length} refused `),
    span(barsOf(bad, peak).trimEnd(), 'bad'),
    span(`  ${HEADS[status]}`, status === 'live' ? 'good' : 'warn'),
  ];
  const failed = failure === undefined ? [] : [line(` ${failureText(failure)}`, 'bad')];
  const shown = lines.slice(top, top + rows).map((text): Line => [span(' '), span(text, toneOf(text))]);
  return [head, ...failed, ...shown];
}

function toneOf(text: string): 'accent' | 'dim' | 'plain' {
  if (/^\[\d+:[\d.]+\] > /.test(text)) return 'accent';
  return text.startsWith('-- ') ? 'dim' : 'plain';
}
