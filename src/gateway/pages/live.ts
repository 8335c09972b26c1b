import { createHash } from 'node:crypto';
import type { Approval } from '../../approval/model.ts';
import { Html, html } from './html.ts';

/** How a page stays true to what it shows. */
export interface Live {
  /** What it shows, as `changed` of the routes compares it. */
  readonly as: string;
  /** Of the one request that it shows. */
  readonly id?: string;
  /** It is left as it is, whatever changes: somebody decides by it. They are told. */
  readonly keeps?: boolean;
}

/** One request as far as it changes. Pure. */
export function revisionOf({
  state,
  votes,
  usedBy,
}: Pick<Approval, 'state' | 'usedBy'> & { readonly votes: readonly unknown[] }): string {
  return `${state}.${votes.length}.${usedBy ?? ''}`;
}

/**
 * The pages' one script. It asks whether what is shown has changed, and puts what is new in the place of `main`: where the
 * reader is, by keyboard or pointer, stays under them, and nothing moves while a pointer is down or text is marked. A page
 * by which somebody decides is never touched. In a window that nobody sees nothing is asked.
 */
const SCRIPT = `(async () => {
  const pause = (ms) => new Promise((done) => setTimeout(done, ms));
  const main = () => document.querySelector('main');
  let at, down = false;
  for (const type of ['pointerdown', 'pointerup', 'pointercancel', 'pointermove'])
    addEventListener(type, (event) => {
      at = event;
      if (type !== 'pointermove') down = type === 'pointerdown';
    }, true);
  const seen = async () => {
    while (document.visibilityState !== 'visible')
      await new Promise((done) => document.addEventListener('visibilitychange', done, { once: true }));
  };
  const linkIn = (one) => main().contains(one) ? one?.closest?.('a[href]')?.getAttribute('href') : undefined;
  const linkTo = (href) => [...main().querySelectorAll('a[href]')].find((one) => one.getAttribute('href') === href);
  const topOf = (href) => linkTo(href)?.getBoundingClientRect().top;
  const put = (page) => {
    const active = document.activeElement;
    const [inside, focused] = [main().contains(active), linkIn(active)];
    const anchor = (at && linkIn(document.elementFromPoint(at.clientX, at.clientY))) ?? focused;
    const before = topOf(anchor);
    const all = () => [...main().querySelectorAll('a[href]')].map((one) => one.getAttribute('href')).join();
    const told = document.title + all();
    main().replaceWith(page.querySelector('main'));
    if (inside) (linkTo(focused) ?? main()).focus({ preventScroll: true });
    if (before !== undefined && topOf(anchor) !== undefined) scrollBy(0, topOf(anchor) - before);
    document.title = page.title;
    if (told !== document.title + all()) document.querySelector('header [role=status]').textContent = page.title;
  };
  for (let ms = 1000; main().dataset.as !== undefined; await pause(ms)) {
    await seen();
    const { as, id, keeps } = main().dataset;
    try {
      const asked = await fetch('/approvals/changed?' + new URLSearchParams(id === undefined ? { as } : { as, id }));
      if (keeps !== undefined) {
        if (asked.status === 204) continue;
        if (asked.status === 200) document.getElementById('changed').hidden = false;
        if (asked.status === 401) document.getElementById('ended').hidden = false;
        if (asked.status < 500) return;
        throw asked;
      }
      const page = asked.ok ? await fetch(location.href) : asked;
      if (page.status === 401) return location.reload();
      if (!page.ok) throw page;
      const next = new DOMParser().parseFromString(await page.text(), 'text/html');
      while (down || getSelection()?.type === 'Range') await pause(200);
      put(next);
      ms = 1000;
    } catch {
      ms = Math.min(2 * ms, 30000);
    }
  }
})();`;

/** What a page's own policy permits to run: this, to the octet. @see https://www.w3.org/TR/CSP3/#match-element-to-source-list */
export const SCRIPT_SOURCE = `'sha256-${createHash('sha256').update(SCRIPT).digest('base64')}'`;

/** Seconds between two looks of a browser that runs no scripts. */
const LOOK_AGAIN_S = 15;

/** In the head of a page: without scripts it is loaded again, if nobody decides by it. */
export function reloading({ keeps = false }: Live): Html | undefined {
  if (keeps) return undefined;
  return html`<noscript><meta http-equiv="refresh" content="${LOOK_AGAIN_S}"></noscript>`;
}

/** Behind everything else. */
export const LIVE_SCRIPT = new Html(`<script>${SCRIPT}</script>`);

/** Of a request that is decided by what is shown: what is told when that is over. */
export function changedNotice(address: string): Html {
  return html`<p id="changed" class="problem" role="status" hidden>This request has changed since you opened it.
<a href="${address}">Look at it again</a></p>
<p id="ended" class="problem" role="status" hidden>Your sign-in is over: nothing can be decided here.
<a href="${address}">Sign in, and look at it again</a></p>`;
}
