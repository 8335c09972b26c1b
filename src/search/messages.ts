import type { AuditEventItem, AuditPage, AuditQuery, SessionItem, SessionQuery } from '../api/contract.ts';
import type { ErrorCode } from '../core/errors.ts';
import type { AuditScope } from './query.ts';
import type { SessionPage, SessionPlace, SessionScope } from './sessions.ts';

/** What the index's worker is started with. */
export interface IndexWorkerData {
  readonly dir: string;
  readonly file: string;
}

export type IndexQuestion =
  | { readonly kind: 'search'; readonly query: AuditQuery; readonly scope: AuditScope | undefined }
  | { readonly kind: 'event'; readonly id: string; readonly scope: AuditScope | undefined }
  | { readonly kind: 'sessions'; readonly query: SessionQuery; readonly scope: SessionScope | undefined }
  | { readonly kind: 'session'; readonly id: string; readonly scope: SessionScope | undefined }
  | { readonly kind: 'places' };

export type IndexAnswer =
  | AuditPage
  | AuditEventItem
  | SessionPage
  | SessionItem
  | readonly SessionPlace[]
  | undefined;

export type IndexRequest = IndexQuestion & { readonly call: number };

export type IndexResponse = { readonly call: number } & (
  | { readonly answer: IndexAnswer }
  | {
      readonly error: {
        readonly code: ErrorCode;
        readonly message: string;
        readonly hint?: string;
        readonly detail?: string;
      };
    }
);
