import type { Adapter, AdapterPayload } from 'oidc-provider';

type Row = { readonly payload: AdapterPayload; readonly endsAt: number };

/** What the demo's identity provider remembers: one table per kind of thing, in memory, gone with the process. */
export class IdpStore {
  readonly #tables = new Map<string, Map<string, Row>>();

  /** The adapter of one model (`Session`, `DeviceCode`, …), as oidc-provider asks for it. */
  adapter(model: string): Adapter {
    const rows = this.#table(model);
    const live = (row: Row | undefined) =>
      row !== undefined && row.endsAt > Date.now() ? row.payload : undefined;
    const findBy = async (field: 'uid' | 'userCode', value: string) => {
      for (const row of rows.values()) if (row.payload[field] === value) return live(row);
      return undefined;
    };
    return {
      upsert: async (id, payload, expiresInSeconds) => {
        const endsAt =
          expiresInSeconds === undefined ? Number.POSITIVE_INFINITY : Date.now() + expiresInSeconds * 1000;
        rows.set(id, { payload, endsAt });
      },
      find: async (id) => live(rows.get(id)),
      findByUid: (uid) => findBy('uid', uid),
      findByUserCode: (userCode) => findBy('userCode', userCode),
      consume: async (id) => {
        const row = rows.get(id);
        if (row !== undefined) row.payload.consumed = Math.floor(Date.now() / 1000);
      },
      destroy: async (id) => {
        rows.delete(id);
      },
      revokeByGrantId: async (grantId) => {
        for (const [id, row] of rows) if (row.payload.grantId === grantId) rows.delete(id);
      },
    };
  }

  /** Forgets what has ended; called now and then so that a long demo does not grow. */
  sweep(now: number): void {
    for (const rows of this.#tables.values()) {
      for (const [id, row] of rows) if (row.endsAt <= now) rows.delete(id);
    }
  }

  #table(model: string): Map<string, Row> {
    const table = this.#tables.get(model) ?? new Map<string, Row>();
    this.#tables.set(model, table);
    return table;
  }
}
