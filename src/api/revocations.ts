/** Kill switches: what hoopctl and hoopd say to each other of whom to keep out. Types only. */

/**
 * `POST /v1/revocations`, JSON: exactly one of the first six. Ends every session of what is named and keeps it out:
 * an instance, a login and a run for good, the others until the revocation is lifted (`DELETE /v1/revocations/{id}`).
 */
export interface RevocationRequest {
  readonly instance?: string;
  readonly login?: string;
  /** Any name of it. Without the right to end others' sessions: of one's own identity alone. */
  readonly run?: string;
  readonly agent?: string;
  /** Name or subject. */
  readonly person?: string;
  /** As attested by the issuer; what a caller only declares cannot be revoked. */
  readonly model?: string;
  /** Narrows `model`. */
  readonly modelVersion?: string;
  /** For the audit; at most 500 characters. */
  readonly reason?: string;
}

/** `GET /v1/revocations`: those in force, oldest first. */
export interface RevocationList {
  readonly schemaVersion: 1;
  readonly revocations: readonly RevocationItem[];
}

export interface RevocationItem {
  /** `rev_…`. */
  readonly id: string;
  readonly kind: 'instance' | 'login' | 'run' | 'agent' | 'person' | 'model';
  readonly value: string;
  /** Of a run: only of this subject, and of the agent where one is named. Absent: of everybody. */
  readonly owner?: { readonly issuer: string; readonly subject: string; readonly agent?: string };
  readonly modelVersion?: string;
  /** RFC 3339. */
  readonly at: string;
}
