import { decisionRows, isReadToEnd } from '../state/decide.ts';
import type { Overlay, UiState } from '../state/model.ts';
import { failureText } from '../state/notices.ts';
import { detailLines } from './details.ts';
import { type Line, line, NOTHING, span } from './line.ts';

/** A request with the question below it. */
export function decideLines(state: UiState, overlay: Extract<Overlay, { kind: 'decide' }>): readonly Line[] {
  const { item, top } = overlay;
  if (item === undefined) return [line(` asking the gateway for ${overlay.id} …`, 'dim')];
  const lines = detailLines(state, item);
  const rows = decisionRows(state);
  const shown = lines.slice(top, top + rows).map((one): Line => [span(' '), ...one]);
  while (shown.length < rows) shown.push(NOTHING);
  return [...shown, ...questionLines(state, overlay, lines.length)];
}

function questionLines(
  state: UiState,
  overlay: Extract<Overlay, { kind: 'decide' }>,
  lines: number,
): readonly Line[] {
  const { word, reason, sent, failure } = overlay;
  const said = failure === undefined ? NOTHING : line(` ${failureText(failure)}`, 'bad');
  const why =
    word === 'deny' && failure === undefined
      ? line(` reason: ${reason === '' ? 'none (r gives one)' : reason}`, 'dim')
      : said;
  if (sent) return [why, line(' sent …', 'warn')];
  if (!isReadToEnd(state, overlay, lines))
    return [why, line(' there is more below: ↓ or Space reads on', 'warn')];
  const question = word === 'approve' ? 'Approve exactly this?' : 'Deny this?';
  return [why, [span(` ${question} `, 'strong'), span('y yes   n no', 'accent')]];
}
