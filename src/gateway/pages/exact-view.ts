import type { ApprovalItem } from '../../api/approvals.ts';
import { allVisible, foreignCharacters } from '../../core/visible.ts';
import { type Html, html } from './html.ts';

/** Of what one page shows exactly, together: characters, and lines or values. */
const MAX_CHARACTERS = 256 * 1024;
const MAX_LINES = 5000;

/** What was asked, and whether all of it is shown. */
export interface ExactView {
  readonly view: Html;
  readonly whole: boolean;
}

/**
 * What was asked: exactly, with the hash of its octets and the same broken into lines, for who may read it; masked for others.
 * Pure.
 *
 * Each line has its number, so that one that only wraps does not pass for two. What is too long is cut, and said to be.
 */
export function exactView({ original, sha256 = {}, text, formatted }: ApprovalItem): ExactView {
  const room = new Room();
  if (original === undefined) {
    const view = html`<h2>What is asked, values masked</h2>${block('What is asked', formatted ?? text, room)}`;
    return { view: html`${view}${cut(room)}`, whole: !room.cut };
  }
  const parts = Object.entries(original).map(([name, value]) =>
    typeof value === 'string'
      ? html`<h2>${name}, exactly</h2>${block(name, value, room)}${hash(sha256[name])}`
      : html`<h2>${name}</h2>${values(name, value, room)}`,
  );
  const inLines = formatted === undefined || Object.values(original).includes(formatted) ? '' : formatted;
  const strange = foreignCharacters(Object.values(original).flat().join('').slice(0, MAX_CHARACTERS));
  const { cut: incomplete } = room;
  const view = html`${parts}
${strange === '' ? undefined : html`<p class="warning">Has characters beyond ASCII: ${strange}</p>`}
${cut(room)}
${inLines === '' ? undefined : html`<details><summary>The same in lines, nothing else changed</summary>${block('In lines', inLines, new Room())}</details>`}`;
  return { view, whole: !incomplete };
}

function cut(room: Room): Html | undefined {
  if (!room.cut) return undefined;
  return html`<p class="problem">It is too long for a page: only its beginning is shown.</p>`;
}

function hash(sha256: string | undefined): Html | undefined {
  if (sha256 === undefined) return undefined;
  return html`<p class="dim">SHA-256 of its octets <code>${sha256}</code></p>`;
}

function block(name: string, text: string, room: Room): Html {
  return numbered(name, room.take(text.split('\n')));
}

function values(name: string, all: readonly (string | null)[], room: Room): Html {
  return numbered(name, room.take(all.map((one) => (one === null ? 'NULL' : `'${one}'`))));
}

/** Can be reached and scrolled by keyboard. */
function numbered(name: string, texts: readonly string[]): Html {
  const lines = texts.map((line) => html`<span class="line">${line}</span>`);
  return html`<pre tabindex="0" role="region" aria-label="${name}">${lines}</pre>`;
}

/** What may still be shown. */
class Room {
  #characters = MAX_CHARACTERS;
  #lines = MAX_LINES;
  cut = false;

  /** @returns As much of the texts as there is room for; nothing after one that was cut. */
  take(texts: readonly string[]): readonly string[] {
    const taken: string[] = [];
    for (const text of texts) {
      if (this.cut || this.#lines-- <= 0) {
        this.cut = true;
        return taken;
      }
      const seen = allVisible(text.slice(0, this.#characters));
      this.cut = text.length > this.#characters || seen.length > this.#characters;
      taken.push(this.cut ? `${seen.slice(0, this.#characters)}…` : seen);
      this.#characters -= seen.length;
    }
    return taken;
  }
}
