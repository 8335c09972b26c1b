import type { Approval } from '../../approval/model.ts';
import { messageOf } from './message.ts';
import { slackText } from './slack.ts';
import { Webhook, type WebhookDeps, type WebhookSettings } from './webhook.ts';

/** Tells every configured webhook what becomes of requests for approval. */
export class ApprovalWebhooks {
  readonly #deps: WebhookDeps;
  /** By address. */
  #webhooks = new Map<string, Webhook>();

  constructor(deps: WebhookDeps) {
    this.#deps = deps;
  }

  /** What waits for an address that stays is still delivered; what waits for one that went is not. */
  put(all: readonly WebhookSettings[]): void {
    const before = this.#webhooks;
    this.#webhooks = new Map();
    for (const settings of all) {
      const url = settings.url.expose();
      const webhook = this.#webhooks.get(url) ?? before.get(url) ?? new Webhook(settings, this.#deps);
      webhook.settings = settings;
      this.#webhooks.set(url, webhook);
      before.delete(url);
    }
    for (const gone of before.values()) gone.close();
  }

  /** Never throws, and returns at once. */
  tell(approval: Approval): void {
    for (const webhook of this.#webhooks.values()) {
      const { format, link } = webhook.settings;
      const { id, message } = messageOf(approval, this.#deps.clock.now(), link);
      const body = format === 'slack' ? { text: slackText(message) } : message;
      webhook.tell({ id, body: JSON.stringify(body) });
    }
  }

  close(): void {
    this.put([]);
  }
}
