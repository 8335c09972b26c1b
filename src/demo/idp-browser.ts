import { HoopError } from '../core/errors.ts';

/**
 * Approves a device code the way a person with a browser would, page by page over HTTP, for machines that have none.
 * Nothing of the provider's own checks is passed over: cookies, anti-forgery fields and redirects are all followed.
 *
 * @param issuer Origin of the demo's identity provider.
 * @param userCode What hoopctl shows, with or without the dash.
 * @param login One of the demo's users.
 * @throws {HoopError} `ERR_LOGIN_DENIED` with the page's own words: unknown, expired or used code, unknown user.
 */
export async function approveByBrowser(issuer: string, userCode: string, login: string): Promise<void> {
  const browser = new Browser(issuer);
  const entry = await browser.open('/device');
  const confirm = await browser.open('/device', { xsrf: field(entry, 'xsrf'), user_code: userCode });
  const pick = await browser.open('/device', {
    xsrf: field(confirm, 'xsrf'),
    user_code: field(confirm, 'user_code'),
    confirm: 'yes',
  });
  const action = /<form[^>]* action="([^"]+)"/.exec(pick)?.[1];
  if (action === undefined || !pick.includes(`value="${login}"`))
    throw refused(`nobody here is called ${login}`);
  const done = await browser.open(action, { login });
  if (!done.includes('Signed in')) throw refused(problemOf(done));
}

/** Just enough of a browser: cookies, forms, redirects. */
class Browser {
  readonly #origin: string;
  readonly #cookies = new Map<string, string>();

  constructor(origin: string) {
    this.#origin = origin;
  }

  /** Opens a page, or posts a form to it, and follows up to ten redirects on the same origin. */
  async open(path: string, form?: Readonly<Record<string, string>>): Promise<string> {
    let url = new URL(path, this.#origin);
    let body = form === undefined ? undefined : new URLSearchParams(form);
    for (let hop = 0; hop < 10; hop++) {
      if (url.origin !== this.#origin) break;
      const response = await this.#request(url, body);
      const text = await response.text();
      const location = response.headers.get('location');
      if (location === null) return text;
      url = new URL(location, url);
      body = undefined;
    }
    throw refused('the identity provider sent us in circles');
  }

  async #request(url: URL, body: URLSearchParams | undefined): Promise<Response> {
    const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const response = await fetch(url, {
      redirect: 'manual',
      headers: { cookie },
      ...(body === undefined ? {} : { method: 'POST', body }),
    });
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      this.#cookies.set(name, value);
    }
    return response;
  }
}

function field(html: string, name: string): string {
  const value = new RegExp(`name="${name}" value="([^"]*)"`).exec(html)?.[1];
  if (value === undefined) throw refused(problemOf(html));
  return value;
}

function problemOf(html: string): string {
  return (
    /class="error">([^<]+)</.exec(html)?.[1] ?? 'the identity provider showed a page that was not expected'
  );
}

function refused(why: string): HoopError {
  return new HoopError('ERR_LOGIN_DENIED', why);
}
