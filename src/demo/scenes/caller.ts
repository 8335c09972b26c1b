import { HoopError } from '../../core/errors.ts';
import type { Hoopctl } from '../hoopctl.ts';
import { countLeaks } from '../leaks.ts';
import type { Stage } from '../stage.ts';
import type { Check, Story } from '../story.ts';
import { AGENT } from './agent.ts';

export const API = 'api-demo';

/** What the agent asked of the API, counted at its own end. */
export interface AgentCalls {
  readonly requests: number;
  readonly allowed: number;
  readonly denied: number;
  readonly leakedValues: number;
}

/** The same person in the same shop, asked for over HTTP: the rule that masked rows masks members of JSON. */
export async function agentCalls(
  stage: Stage,
  story: Story,
  hoopctl: Hoopctl,
  check: Check,
): Promise<AgentCalls> {
  story.typed('$', `hoopctl connect ${API}`);
  const tunnel = hoopctl.start('connect', API, '--json');
  const { port, token } = await tunnel.answer((value) => value['kind'] === 'listening');
  if (typeof port !== 'number') throw new HoopError('ERR_INTERNAL', 'hoopctl connect named no port');
  story.showed(`listening on 127.0.0.1:${port}; API_DEMO_URL is set for whatever follows --`);
  const calls = new Calls(`http://127.0.0.1:${port}`, String(token), story, check);
  try {
    story.say('The same customers, by the shop’s own API: no rule was written for it.');
    await calls.allowed('GET', '/customers/1');
    await calls.allowed('GET', '/orders/7');
    await calls.denied('DELETE', '/orders/7');
    await calls.allowed('GET', '/customers', 1);
    return calls.counted(stage.shop.secrets);
  } finally {
    await tunnel.stop();
  }
}

/** Sends requests one by one, shows what came back, and counts. */
class Calls {
  readonly #url: string;
  readonly #token: string;
  readonly #story: Story;
  readonly #check: Check;
  readonly #received: Buffer[] = [];
  #allowed = 0;
  #denied = 0;

  constructor(url: string, token: string, story: Story, check: Check) {
    this.#url = url;
    this.#token = token;
    this.#story = story;
    this.#check = check;
  }

  async allowed(method: string, path: string, shown = 4): Promise<void> {
    const { status, text } = await this.#send(method, path);
    this.#check(status === 200, `${method} ${path} was answered ${status}, although allowed`);
    this.#story.showed(text.length > 400 ? `${text.slice(0, 400)} … ${text.length} characters` : text, shown);
    this.#allowed++;
  }

  async denied(method: string, path: string): Promise<void> {
    const { status, text } = await this.#send(method, path);
    this.#check(status === 403, `${method} ${path} was answered ${status}, and not refused`);
    this.#story.refused(`403: ${text.trim()}`, 'as problem+json, for programs and agents alike');
    this.#denied++;
  }

  counted(secrets: readonly string[]): AgentCalls {
    const leakedValues = countLeaks(Buffer.concat(this.#received), secrets);
    return {
      requests: this.#allowed + this.#denied,
      allowed: this.#allowed,
      denied: this.#denied,
      leakedValues,
    };
  }

  async #send(method: string, path: string): Promise<{ readonly status: number; readonly text: string }> {
    this.#story.typed(AGENT, `curl ${method === 'GET' ? '' : `-X ${method} `}"$API_DEMO_URL${path}"`);
    const headers = { authorization: `Bearer ${this.#token}` };
    const response = await fetch(this.#url + path, { method, headers });
    const body = Buffer.from(await response.arrayBuffer());
    this.#received.push(Buffer.from(JSON.stringify([...response.headers])), body);
    return { status: response.status, text: body.toString() };
  }
}
