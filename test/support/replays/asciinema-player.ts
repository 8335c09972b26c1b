/** asciinema's player for pages, in a browser: a page with it in it, as its own documentation has it. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { Chromium } from '../chromium.ts';

export class AsciinemaPlayer {
  readonly #browser: Chromium;
  readonly #server: Server;

  private constructor(browser: Chromium, server: Server) {
    this.#browser = browser;
    this.#server = server;
  }

  /** @param casts By name, as they are served. @param certificate PEM that the browser trusts. */
  static async start(casts: Readonly<Record<string, string>>, certificate: string): Promise<AsciinemaPlayer> {
    const browser = await Chromium.start(certificate);
    const page = pageOf();
    const server = createServer(({ url = '' }, response) => {
      const [, kind, name = ''] = url.split('/');
      response.end(kind === 'cast' ? casts[name] : page(name));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new AsciinemaPlayer(browser, server);
  }

  /** Begins to play. */
  async play(name: string, size: { readonly width: number; readonly height: number }): Promise<void> {
    const { port } = this.#server.address() as AddressInfo;
    await this.#browser.size(size);
    await this.#browser.open(`http://127.0.0.1:${port}/player/${name}`);
  }

  /** What it shows; empty before it does. */
  screen(): Promise<string> {
    return this.#browser.value<string>('shown()').catch(() => '');
  }

  async picture(file: string): Promise<void> {
    await this.#browser.picture(file);
  }

  async stop(): Promise<void> {
    this.#server.close();
    await this.#browser.stop();
  }
}

function pageOf(): (name: string) => string {
  const require = createRequire(import.meta.url);
  const style = readFileSync(require.resolve('asciinema-player/dist/bundle/asciinema-player.css'), 'utf8');
  const file = require.resolve('asciinema-player/dist/bundle/asciinema-player.min.js');
  const script = readFileSync(file, 'utf8').replaceAll('</script', '<\\/script');
  return (name) => `<!doctype html><meta charset="utf-8"><style>body { margin: 0 } ${style}</style>
<div id="player"></div><script>${script}</script>
<script>
const player = AsciinemaPlayer.create('/cast/${name}', document.getElementById('player'), { autoPlay: true, controls: false });
function shown() {
  return [...document.querySelectorAll('.ap-line')].map((line) => line.textContent.trimEnd()).join('\\n');
}
</script>`;
}
