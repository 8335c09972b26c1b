import { spanText } from '../../../core/span.ts';
import { histogramRows } from '../state/layout.ts';
import type { UiState } from '../state/model.ts';
import { barsOf, countsOver } from './bars.ts';
import { ends, fitted, type Line, line, span } from './line.ts';
import { clockText } from './when.ts';

const NAMES = 9;

/** When the hits were, and when of them what was refused or held: a row of bars each, over one time. Pure. */
export function histogramLines(state: UiState, columns: number): readonly Line[] {
  if (histogramRows(state) === 0) return [];
  const { shown } = state.lists.feed;
  const times = shown.map(({ at }) => Date.parse(at));
  const refused = shown.filter(isRefused).map(({ at }) => Date.parse(at));
  const first = times.reduce((least, time) => Math.min(least, time), state.nowMs);
  const last = times.reduce((most, time) => Math.max(most, time), first);
  const width = Math.max(8, columns - NAMES - 1);
  const all = countsOver(times, first, last, width);
  const bad = countsOver(refused, first, last, width);
  const peak = Math.max(1, ...all);
  const took =
    shown.length === 0
      ? ''
      : `${clockText(first, state.nowMs)} – ${clockText(last, state.nowMs)}, ${spanText(last - first)}`;
  const more = state.loads.feed.next === undefined ? '' : '+';
  const hits = shown.length === 1 && more === '' ? 'hit' : 'hits';
  const counts = `${shown.length}${more} ${hits}, ${refused.length} refused or held`;
  return [
    [...fitted(line(' all', 'dim'), NAMES), span(barsOf(all, peak), 'accent')],
    [...fitted(line(' refused', 'dim'), NAMES), span(barsOf(bad, peak), 'bad')],
    ends(line(`${' '.repeat(NAMES)}${took}`, 'dim'), line(`${counts} `, 'dim'), columns),
  ];
}

function isRefused({ decision }: { readonly [field: string]: unknown }): boolean {
  return decision === 'deny' || decision === 'hold';
}
