/** The plane of approvals: what hoopctl and hoopd say of requests that wait for people. Types only. */

/**
 * What becomes of a request for approval, in the words of the AuthZEN access request profile.
 *
 * @see https://openid.github.io/authzen/
 */
export type ApprovalStatus = 'pending' | 'approved' | 'denied' | 'expired' | 'cancelled' | 'failed';

/**
 * One request for approval: `GET /v1/approvals/{id}`. With `?wait=SECONDS` (1 … 60) the answer comes when it has left
 * `pending`, or the time is over; `Retry-After` says when to ask again.
 */
export interface ApprovalItem {
  readonly schemaVersion: 1;
  /** `apr_…`. */
  readonly id: string;
  readonly status: ApprovalStatus;
  /** Where people decide it with a browser; absent: nowhere. */
  readonly page?: string;
  /** What the one who asked does now: send the same again, ask anew, or nothing. */
  readonly next_action: 'retry' | 'request' | 'none';
  /** RFC 3339. */
  readonly at: string;
  readonly expiresAt: string;
  /** It opens something for so long after the yes, seconds. Absent: it is for one use. */
  readonly window?: number;
  /** Under which names people say yes, and how many of each. */
  readonly needs: readonly { readonly name: string; readonly count: number; readonly given: number }[];
  /** Names that the caller may say yes under; empty: none. */
  readonly mine: readonly string[];
  /** Why these are none while it is pending, in words that end a sentence. Absent: there are some, or it is settled. */
  readonly notMine?: string;
  /** The caller may say no to it: also after a yes of theirs, while it waits for others. Absent: they may not, or it is settled. */
  readonly mayDeny?: true;
  readonly session: string;
  readonly resource: string;
  readonly protocol: string;
  /** Who asks: the agent or person, and on whose authority. */
  readonly actor: string;
  readonly person?: string;
  readonly issuer: string;
  readonly instance: string;
  /** What the issuer signed, and what the caller only says of itself. */
  readonly attested: Readonly<Record<string, string>>;
  readonly declared: Readonly<Record<string, string>>;
  /** Why, in the words of the one who asks: nobody has checked them. */
  readonly reason?: string;
  readonly rules: readonly { readonly id: string; readonly reason?: string; readonly hint?: string }[];
  /** Masked. */
  readonly text: string;
  readonly actions: readonly string[];
  readonly objects: readonly string[];
  /**
   * What of these would be masked in the answer to the one who asks, by policy as it was then: columns, members and headers;
   * `RESOURCE/detected` is whatever detectors find. Absent: nothing.
   */
  readonly masked?: readonly string[];
  /**
   * Why what it would change cannot be counted, in words that end a sentence: `…/try` says the same. Absent: it can, as far as was
   * known when it was asked; all that it may lead to is read when it is tried.
   */
  readonly notTried?: string;
  readonly policyVersion: string;
  /** SHA-256 of all that a yes covers, hexadecimal. */
  readonly binding: string;
  readonly votes: readonly { readonly by: string; readonly names: readonly string[]; readonly at: string }[];
  /** Who said no, and why it ended. */
  readonly endedBy?: string;
  readonly endReason?: string;
  /** The operation that it was used for (`op_…`). */
  readonly usedBy?: string;
  /** Exactly what was asked, while it is undecided: for those alone who may decide it, in the answer for one. */
  readonly original?: Readonly<Record<string, string | readonly (string | null)[]>>;
  /** SHA-256 of the octets of each text in `original`, hexadecimal, under its name. */
  readonly sha256?: Readonly<Record<string, string>>;
  /**
   * In the answer for one: the text that is shown, `original`'s or else `text`, broken into lines. Only blanks and ends
   * of lines between its parts differ. Absent where the protocol has no such form, or that could not be proven.
   */
  readonly formatted?: string;
}

/**
 * `GET /v1/approvals`: those that one asked for, or may decide; newest first. `?status=pending` leaves the others out.
 * With `?wait=SECONDS` (1 … 60) and the `cursor` of an earlier list the answer comes when something has changed since.
 */
export interface ApprovalList {
  readonly schemaVersion: 1;
  readonly approvals: readonly ApprovalItem[];
  readonly cursor: string;
}

/**
 * `POST /v1/approvals/{id}/approve` and `…/deny`; `…/cancel` is for the one who asked, and has no body. The answer is the
 * `ApprovalItem` as it is then.
 */
export interface ApprovalDecision {
  /** `binding` of what was seen: refused if it is another. */
  readonly binding: string;
  /** For the one who asked; at most 500 characters. */
  readonly reason?: string;
}

/** One value as somebody may see it. */
export interface ShownValue {
  /** null: there is none. */
  readonly text: string | null;
  /** All or a part of it is masked. */
  readonly masked?: true;
  /** It is longer. */
  readonly cut?: true;
}

/** The first rows of what an operation names, before and after it: told apart by their primary key, and masked for who looks. */
export interface FirstRows {
  readonly object: string;
  /** Those of the primary key first. */
  readonly columns: readonly string[];
  /** One value for each column. Without `before` there was no such row, without `after` there is none any more. */
  readonly rows: readonly {
    readonly before?: readonly ShownValue[];
    readonly after?: readonly ShownValue[];
  }[];
  /** Columns of which nothing is shown: too many, too large, or of a type that is not the target's own. */
  readonly leftOut: readonly string[];
}

/** What an operation would do, counted where it was done and undone. */
export interface TriedOut {
  /** In the protocol's own word: `UPDATE`. Absent where it would fail. */
  readonly command?: string;
  /** Of the command itself. */
  readonly rows?: number;
  /** All that changed, by whatever it leads to: triggers, foreign keys. */
  readonly changes: readonly {
    readonly object: string;
    readonly inserted: number;
    readonly updated: number;
    readonly deleted: number;
  }[];
  /** It would fail: with the protocol's own code, and in words without values. */
  readonly fails?: { readonly status: string; readonly reason: string };
  /** Absent where it would fail or changes nothing, and with `notShown`. */
  readonly first?: FirstRows;
  /** Why no rows are shown, in words that end a sentence. */
  readonly notShown?: string;
  /** What the target has defined is not what it was when people were asked: it will be asked anew. */
  readonly changed: boolean;
  /** Code in it catches errors: what it undid by itself is in `changes` as well. */
  readonly catches: boolean;
}

/**
 * `POST /v1/approvals/{id}/try` with `{"binding": …}`, for those who may decide it: what it would change, counted where it
 * was done and undone.
 */
export interface ApprovalTrial extends TriedOut {
  readonly schemaVersion: 1;
  readonly id: string;
}
