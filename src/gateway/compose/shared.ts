import type { Adapter } from '../../protocols/adapter.ts';
import type { Protocol, SharedDeps, SharedParts } from '../../protocols/protocol.ts';

interface Held {
  readonly parts: SharedParts;
  adapters: number;
}

/** What the resources of each protocol share: made with the first adapter of it, closed with the last. */
export class SharedByProtocol {
  readonly #deps: SharedDeps;
  readonly #held = new Map<string, Held>();

  constructor(deps: SharedDeps) {
    this.#deps = deps;
  }

  /** @returns What `make` makes; its `close` also lets go of what is shared. */
  adapter(protocol: Protocol, make: (shared: SharedParts) => Adapter): Adapter {
    const held = this.#held.get(protocol.name) ?? { parts: protocol.shared(this.#deps), adapters: 0 };
    this.#held.set(protocol.name, held);
    held.adapters++;
    const adapter = make(held.parts);
    return {
      protocol: adapter.protocol,
      serve: (stream, context) => adapter.serve(stream, context),
      ...(adapter.tryOut === undefined
        ? {}
        : { tryOut: (...how: Parameters<NonNullable<Adapter['tryOut']>>) => adapter.tryOut!(...how) }),
      ...(adapter.checkPlace === undefined
        ? {}
        : { checkPlace: (place: string | undefined) => adapter.checkPlace!(place) }),
      formatted: async (asked) => adapter.formatted?.(asked),
      close: async () => {
        await adapter.close();
        held.adapters--;
        if (held.adapters === 0) await this.#close(protocol.name, held);
      },
    };
  }

  /** Also what adapters hold whose sessions have not ended. */
  async close(): Promise<void> {
    await Promise.all([...this.#held].map(([name, held]) => this.#close(name, held)));
  }

  async #close(name: string, held: Held): Promise<void> {
    if (this.#held.get(name) !== held) return;
    this.#held.delete(name);
    await held.parts.close();
  }
}
