/** Octets: as text where they are UTF-8, which a piece that ends within a character is not. */
export type Octets = { readonly text: string } | { readonly base64: string };

/** Whose part of an exchange. */
export type ExchangeSide = 'request' | 'response';

/** What stands before a body. */
export interface ExchangeHead {
  /** `GET /v1/orders?page=2`, `200`. */
  readonly start: string;
  /** Name and value, in order; a name may come again. */
  readonly fields: readonly (readonly [string, string])[];
}

/**
 * One line of `GET /v1/sessions/{id}/recording` (NDJSON) and of `session replay --json`. New kinds may come: show the
 * JSON of one that is not known.
 */
export type ReplayFrame = {
  readonly schemaVersion: 1;
  /** Milliseconds since the session started. */
  readonly atMs: number;
  /** Connection or channel within the session; absent: 0, the first. */
  readonly stream?: number;
} & ReplayShown;

/** What a replay shows. `operation` is an id of the audit's (`op_…`). */
export type ReplayShown =
  | { readonly kind: 'request'; readonly text: string; readonly operation: string }
  // Tables.
  | { readonly kind: 'columns'; readonly names: readonly string[] }
  | { readonly kind: 'row'; readonly values: readonly (string | null)[] }
  | { readonly kind: 'complete'; readonly tag: string }
  | { readonly kind: 'notice'; readonly message: string }
  | { readonly kind: 'data'; readonly bytes: number }
  // Terminals and pipes.
  | ({ readonly kind: 'screen'; readonly channel: 'input' | 'output' | 'stderr' } & Octets & OfOperation)
  | ({ readonly kind: 'resize'; readonly columns: number; readonly rows: number } & OfOperation)
  // Exchanges: heads, and bodies in pieces.
  | ({ readonly kind: 'exchange'; readonly side: ExchangeSide } & OfOperation &
      ({ readonly head: ExchangeHead } | { readonly body: Octets }))
  /** A refusal or failure in the protocol's words; `status` as in the audit: `42501`, `403`. */
  | { readonly kind: 'error'; readonly status: string; readonly message: string; readonly hint?: string }
  /** How an operation ended: `exit 1`. */
  | ({ readonly kind: 'status'; readonly status: string } & OfOperation)
  | ({ readonly kind: 'note'; readonly text: string } & OfOperation)
  /** A stream ended before its session. */
  | { readonly kind: 'closed'; readonly reason: string }
  | { readonly kind: 'end'; readonly reason: string; readonly complete: boolean }
  /** In place of the end: the rest was changed or is damaged. What came before is good. */
  | { readonly kind: 'broken'; readonly message: string };

interface OfOperation {
  readonly operation?: string;
}
