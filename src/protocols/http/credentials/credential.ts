import type { Later } from '../../../core/later.ts';
import type { CanonicalRequest, RequestRules } from '../request/canonical.ts';
import type { Field } from '../request/fields/read-fields.ts';

/** What one request is shown to come from the gateway by. */
export interface Shown {
  readonly headers: readonly Field[];
  /** Added behind the query; percent-encoded. */
  readonly parameter?: string;
}

/** How requests of one resource are shown to come from the gateway. No client ever sees any of it. */
export interface HttpCredential {
  /** What clients may not say themselves. */
  readonly rules: RequestRules;
  /** It signs the body: the request is held whole before it is sent. */
  readonly signsBody: boolean;
  /**
   * @param address Where the request goes, as it will be sent.
   * @param body Undefined unless `signsBody`.
   * @throws {HoopError} `ERR_TARGET_CREDENTIAL` it cannot be had now; `ERR_TARGET_AUTH` the resource is not configured any more.
   */
  show(request: CanonicalRequest, address: () => URL, body: Uint8Array | undefined): Later<Shown>;
  /** The target did not take it. */
  refused(): void;
  /** What of it an answer must never show, as it is now. */
  secrets(): readonly string[];
}
