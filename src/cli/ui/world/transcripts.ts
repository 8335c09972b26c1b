import type { ReplayFrame } from '../../../api/replay.ts';
import { HoopError } from '../../../core/errors.ts';
import type { Charset } from '../../../core/terminal/charset.ts';
import { displayWidth } from '../../render/text.ts';
import { ReplayPrinter } from '../../replay/printer.ts';
import type { Transcript } from '../state/model.ts';

/** Where it is read. */
interface View {
  readonly columns: number;
  readonly live: boolean;
  readonly charset: Charset;
}

type Part = Pick<Transcript, 'lines' | 'asked' | 'refused' | 'status'>;

/** What is held of one session. */
const MAX_LINES = 20_000;
/** Of a line: what is longer is seen in a replay. */
const MAX_COLUMNS = 4_000;
/** So often what has come so far is shown, ms. */
const TELL_MS = 200;

/**
 * Reads a recording as text, for a window of so many columns.
 *
 * @param frames Of a recording. They end where reading is aborted.
 * @param view `live`: more may come, after any time. Of a long one the last lines are kept; otherwise the first.
 * @param tell What there is so far, and at the end all of it.
 * @throws {HoopError} `ERR_VERIFY` it is damaged; what came before was told. What else the gateway says.
 */
export async function readTranscript(
  frames: AsyncIterable<ReplayFrame>,
  view: View,
  tell: (part: Part) => void,
): Promise<void> {
  const text = new Text(view);
  const soFar = view.live ? 'live' : 'loading';
  let telling: NodeJS.Timeout | undefined;
  try {
    for await (const frame of frames) {
      text.push(frame);
      if (text.isFull) return tell(text.part('cut'));
      if (frame.kind === 'broken') {
        tell(text.part('failed'));
        throw new HoopError('ERR_VERIFY', frame.message);
      }
      // By a timer: after the last one of many nothing may come for long.
      telling ??= setTimeout(() => {
        telling = undefined;
        tell(text.part(soFar));
      }, TELL_MS);
    }
    tell(text.part('whole'));
  } finally {
    clearTimeout(telling);
  }
}

/** What a recording shows, in lines of a window. */
class Text {
  readonly #columns: number;
  readonly #live: boolean;
  readonly #printer: ReplayPrinter;
  readonly #asked: number[] = [];
  readonly #refused: number[] = [];
  #lines: string[] = [];
  #rest = '';

  constructor({ columns, live, charset }: View) {
    this.#printer = new ReplayPrinter(false, charset);
    this.#columns = columns;
    this.#live = live;
  }

  get isFull(): boolean {
    return !this.#live && this.#lines.length >= MAX_LINES;
  }

  push(frame: ReplayFrame): void {
    if (frame.kind === 'request') this.#asked.push(frame.atMs);
    if (isRefusal(frame)) this.#refused.push(frame.atMs);
    const text = (this.#rest + this.#printer.push(frame)).split('\n');
    // What ends in no line for long is held no longer than anybody reads.
    this.#rest = (text.pop() ?? '').slice(0, MAX_COLUMNS);
    for (const one of text) this.#lines.push(...folded(one, this.#columns));
    if (this.#live && this.#lines.length > 2 * MAX_LINES) this.#lines = this.#lines.slice(-MAX_LINES);
  }

  part(status: Part['status']): Part {
    const rest = this.#rest === '' ? [] : folded(this.#rest, this.#columns);
    const lines = [...this.#lines.slice(-MAX_LINES), ...rest];
    return { lines, asked: [...this.#asked], refused: [...this.#refused], status };
  }
}

function isRefusal(frame: ReplayFrame): boolean {
  if (frame.kind === 'error') return true;
  return (
    frame.kind === 'exchange' &&
    'head' in frame &&
    frame.side === 'response' &&
    /^[45]\d\d/.test(frame.head.start)
  );
}

/** Lines of a window: nothing is left out that is not longer than anybody reads. */
function folded(text: string, columns: number): readonly string[] {
  const found: string[] = [];
  let current = '';
  let width = 0;
  for (const character of text.slice(0, MAX_COLUMNS).replaceAll('\t', '    ')) {
    const wide = displayWidth(character);
    if (width + wide > columns) {
      found.push(current);
      current = '';
      width = 0;
    }
    current += character;
    width += wide;
  }
  return [...found, current];
}
