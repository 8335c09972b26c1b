/** A real browser without a window, driven over its own DevTools protocol: it trusts one key, and reaches this machine alone. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash, X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from './waiting.ts';

export interface ScreenSize {
  readonly width: number;
  readonly height: number;
  readonly phone?: boolean;
}

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: Readonly<Record<string, unknown>>;
  readonly result?: Readonly<Record<string, unknown>>;
  readonly error?: { readonly message: string };
}

/** One window. What it loads is waited for by what it then shows. */
export class Chromium {
  readonly #child: ChildProcess;
  readonly #profile: string;
  readonly #socket: WebSocket;
  /** Of the one window; undefined while the browser itself is spoken to. */
  #session: string | undefined;
  readonly #waiting = new Map<number, PromiseWithResolvers<Readonly<Record<string, unknown>>>>();
  #sent = 0;
  /** What the browser refused by a page's policy: styles, scripts, forms. */
  readonly complaints: string[] = [];

  private constructor(child: ChildProcess, profile: string, socket: WebSocket) {
    this.#child = child;
    this.#profile = profile;
    this.#socket = socket;
    socket.addEventListener('message', ({ data }) => this.#take(JSON.parse(String(data)) as Message));
  }

  /** @param certificate PEM that the gateway shows. */
  static async start(certificate: string): Promise<Chromium> {
    const profile = mkdtempSync(join(tmpdir(), 'hoop-chromium-'));
    const child = spawn(
      'chromium',
      [
        ...['--headless=new', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run'],
        ...['--hide-scrollbars', '--disable-background-networking', '--remote-debugging-port=0'],
        `--user-data-dir=${profile}`,
        `--ignore-certificate-errors-spki-list=${keyHash(certificate)}`,
        '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1',
        'about:blank',
      ],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    );
    let said = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (said += text));
    const address = await eventually(
      () => `Chromium listens: ${said}`,
      () => /DevTools listening on (ws:\S+)/.exec(said)?.[1],
      (found) => found !== undefined,
      { withinMs: 60_000 },
    );
    const socket = new WebSocket(address ?? '');
    await new Promise((resolve, reject) => {
      socket.addEventListener('open', resolve, { once: true });
      socket.addEventListener('error', reject, { once: true });
    });
    const browser = new Chromium(child, profile, socket);
    const { targetInfos } = await browser.send('Target.getTargets');
    const page = (targetInfos as { type: string; targetId: string }[]).find(({ type }) => type === 'page');
    const attached = { targetId: page?.targetId, flatten: true };
    browser.#session = String((await browser.send('Target.attachToTarget', attached))['sessionId']);
    for (const domain of ['Page', 'Runtime', 'Log']) await browser.send(`${domain}.enable`);
    return browser;
  }

  send(method: string, params: object = {}): Promise<Readonly<Record<string, unknown>>> {
    const id = ++this.#sent;
    const answer = Promise.withResolvers<Readonly<Record<string, unknown>>>();
    this.#waiting.set(id, answer);
    const session = this.#session === undefined ? {} : { sessionId: this.#session };
    this.#socket.send(JSON.stringify({ id, method, params, ...session }));
    return answer.promise;
  }

  async size({ width, height, phone = false }: ScreenSize): Promise<void> {
    await this.send('Emulation.setDeviceMetricsOverride', {
      width,
      height,
      deviceScaleFactor: 1,
      mobile: phone,
    });
    await this.send('Emulation.setTouchEmulationEnabled', { enabled: phone });
  }

  async dark(on: boolean): Promise<void> {
    const features = [{ name: 'prefers-color-scheme', value: on ? 'dark' : 'light' }];
    await this.send('Emulation.setEmulatedMedia', { features });
  }

  async open(address: string): Promise<void> {
    await this.send('Page.navigate', { url: address });
  }

  /** The value of an expression in the page. */
  async value<T>(expression: string): Promise<T> {
    const { result, exceptionDetails } = await this.send('Runtime.evaluate', {
      expression,
      returnByValue: true,
    });
    if (exceptionDetails !== undefined) throw new Error(JSON.stringify(exceptionDetails));
    return (result as { value: T }).value;
  }

  /** Waits until the page's text has this, and is loaded. */
  async shows(text: string): Promise<void> {
    const look = () => this.value<string>('document.readyState + location.href + document.body?.innerText');
    await eventually(
      `the page shows ${text}`,
      // While one page goes and another comes there is none to look at.
      () => look().catch(() => ''),
      (shown) => shown.startsWith('complete') && shown.includes(text),
      { withinMs: 30_000 },
    );
  }

  /** Clicks where the first element of a selector is, like a person would. */
  async click(selector: string): Promise<void> {
    const found = `document.querySelector(${JSON.stringify(selector)})`;
    const at = await this.value<{ x: number; y: number } | null>(
      `(() => { const one = ${found}; if (one === null) return null; one.scrollIntoView({ block: 'center' });
        const { x, y, width, height } = one.getBoundingClientRect(); return { x: x + width / 2, y: y + height / 2 } })()`,
    );
    if (at === null) throw new Error(`nothing is at ${selector}`);
    for (const type of ['mousePressed', 'mouseReleased'])
      await this.send('Input.dispatchMouseEvent', { type, ...at, button: 'left', clickCount: 1 });
  }

  async type(text: string): Promise<void> {
    await this.send('Input.insertText', { text });
  }

  async key(key: 'Tab' | 'Enter'): Promise<void> {
    const code = { Tab: 9, Enter: 13 }[key];
    const text = key === 'Enter' ? { text: '\r' } : {};
    for (const type of ['keyDown', 'keyUp'])
      await this.send('Input.dispatchKeyEvent', {
        type,
        key,
        code: key,
        windowsVirtualKeyCode: code,
        ...text,
      });
  }

  /** A picture of the whole page. */
  async picture(file: string): Promise<void> {
    const { data } = await this.send('Page.captureScreenshot', {
      format: 'png',
      captureBeyondViewport: true,
    });
    writeFileSync(file, Buffer.from(String(data), 'base64'));
  }

  async stop(): Promise<void> {
    const gone = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#socket.close();
    this.#child.kill('SIGKILL');
    await gone;
    rmSync(this.#profile, { recursive: true, force: true, maxRetries: 5 });
  }

  #take({ id, method, params, result, error }: Message): void {
    if (method === 'Log.entryAdded') {
      const entry = params?.['entry'] as { source: string; text: string } | undefined;
      if (entry?.source === 'security') this.complaints.push(entry.text);
    }
    const waiting = id === undefined ? undefined : this.#waiting.get(id);
    if (id === undefined || waiting === undefined) return;
    this.#waiting.delete(id);
    if (error === undefined) waiting.resolve(result ?? {});
    else waiting.reject(new Error(error.message));
  }
}

function keyHash(certificate: string): string {
  const key = new X509Certificate(certificate).publicKey.export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(key).digest('base64');
}
