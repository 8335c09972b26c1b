/** A browser as far as cookies, redirects and forms go, over real TLS; and one that can lie about where a form stands. */
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { request as httpsRequest } from 'node:https';

export interface Page {
  readonly url: URL;
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly html: string;
}

interface Form {
  readonly fields: Readonly<Record<string, string>>;
  /** What a browser says of itself; default: a form of the same origin. */
  readonly headers?: Readonly<Record<string, string | undefined>>;
}

const MAX_REDIRECTS = 12;

export class WebBrowser {
  /** By origin. */
  readonly cookies = new Map<string, Map<string, string>>();
  readonly #ca: string;

  constructor(ca: string) {
    this.#ca = ca;
  }

  /** Opens an address and follows where it leads; `form`: sends one there. */
  async open(address: string | URL, form?: Form, redirects = MAX_REDIRECTS): Promise<Page> {
    let url = new URL(address);
    let page = await this.#once(url, form);
    for (let hops = 0; hops < redirects && page.headers.location !== undefined; hops++) {
      url = new URL(page.headers.location, url);
      page = await this.#once(url);
    }
    return page;
  }

  /** Sends the form of a page whose action ends so, its hidden fields and these. */
  submit(page: Page, action: string, fields: Readonly<Record<string, string>> = {}): Promise<Page> {
    const [, path = '', inner = ''] =
      new RegExp(`<form[^>]*action="([^"]*${action})"[^>]*>([\\s\\S]*?)</form>`).exec(page.html) ?? [];
    if (path === '') throw new Error(`no form for ${action}: ${page.html.slice(0, 2000)}`);
    return this.open(new URL(path, page.url), { fields: { ...hidden(inner), ...fields } });
  }

  #once(url: URL, form?: Form): Promise<Page> {
    const jar = this.cookies.get(url.origin) ?? new Map<string, string>();
    this.cookies.set(url.origin, jar);
    const body = form === undefined ? undefined : new URLSearchParams(form.fields).toString();
    const given = {
      ...(jar.size === 0 ? {} : { cookie: [...jar].map(([name, value]) => `${name}=${value}`).join('; ') }),
      ...(body === undefined
        ? {}
        : {
            'content-type': 'application/x-www-form-urlencoded',
            // What browsers write where a page sends no referrer.
            origin: 'null',
            'sec-fetch-site': 'same-origin',
          }),
      ...form?.headers,
    };
    const headers = Object.fromEntries(
      Object.entries(given).filter(([, value]) => value !== undefined),
    ) as Record<string, string>;
    const { promise, resolve, reject } = Promise.withResolvers<Page>();
    const method = body === undefined ? 'GET' : 'POST';
    const options = { method, headers, ca: this.#ca, agent: false } as const;
    const outgoing = url.protocol === 'https:' ? httpsRequest(url, options) : httpRequest(url, options);
    outgoing.on('error', reject).on('response', async (response) => {
      for (const cookie of response.headers['set-cookie'] ?? []) keep(jar, cookie);
      response.setEncoding('utf8');
      let html = '';
      for await (const chunk of response) html += chunk;
      resolve({ url, status: response.statusCode ?? 0, headers: response.headers, html });
    });
    outgoing.end(body);
    return promise;
  }
}

function keep(jar: Map<string, string>, cookie: string): void {
  const [pair = '', ...attributes] = cookie.split(';');
  const at = pair.indexOf('=');
  if (attributes.some((one) => /^\s*max-age=0$/i.test(one))) jar.delete(pair.slice(0, at));
  else jar.set(pair.slice(0, at), pair.slice(at + 1));
}

function hidden(inner: string): Record<string, string> {
  const fields = inner.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)"/g);
  return Object.fromEntries([...fields].map(([, name = '', value = '']) => [name, value]));
}

/** Signs in at the test provider's own pages, wherever they ask. */
export async function signInAs(browser: WebBrowser, page: Page, login: string): Promise<Page> {
  let now = page;
  for (let steps = 0; steps < 4 && /name="prompt"/.test(now.html); steps++) {
    const prompt = /name="prompt" value="([^"]*)"/.exec(now.html)?.[1] ?? '';
    const action = /<form[^>]*action="([^"]+)"/.exec(now.html)?.[1] ?? '';
    const fields = prompt === 'login' ? { prompt, login, password: 'any' } : { prompt };
    now = await browser.open(new URL(action, now.url), { fields });
  }
  return now;
}
