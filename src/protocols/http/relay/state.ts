import type { HoopError } from '../../../core/errors.ts';
import type { DetectorSet } from '../../../masking/detectors/index.ts';
import type { PolicyObject } from '../../../policy/model.ts';
import type { StreamContext } from '../../adapter.ts';
import type { RequestRules } from '../request/canonical.ts';
import type { TargetPlace } from '../request/response/own-reference.ts';
import type { HttpTarget } from '../target/http-target.ts';
import type { ApiRules } from './api-rules.ts';
import type { CleanText } from './question.ts';
import type { Http1Server } from './servers.ts';

/** What connections of one resource share. */
export interface ConnectionParts {
  readonly target: HttpTarget;
  readonly rules: RequestRules;
  readonly place: TargetPlace;
  readonly api: ApiRules;
  readonly server: Http1Server;
  /** Members of answers that are classified. */
  readonly classified: readonly PolicyObject[];
  /** In force now. */
  readonly detectors: () => { readonly set: DetectorSet; readonly tags: readonly string[] };
}

/** What an exchange knows of its connection. */
export interface ConnectionState {
  readonly context: StreamContext;
  readonly parts: ConnectionParts;
  readonly clean: CleanText;
  /** Something that answers may hold is masked for this principal, as policy is now. */
  masks(): boolean;
  /** The session is over: what is said now is said last. */
  readonly ended: boolean;
  /** The session cannot go on. */
  over(reason: HoopError): void;
}
