import type { FieldState } from '../../../masking/json/field-states.ts';
import type { Sent } from './sessions.ts';

/** What somebody may see of what a server says, on one route. */
export interface RpcSight {
  /** All that an answer with this id may answer; empty: nobody knows. */
  asked(id: string): readonly Sent[];
  /** Whether policy has them ask for it: what they may not is not listed. */
  may(verb: string, type: 'McpMethod' | 'McpTool' | 'McpPrompt' | 'McpResource', name: string): boolean;
  /**
   * Members that are masked for them in what is the result of one of these (`Sent.result`); undefined: none.
   *
   * @param results Empty: it may be that of any.
   */
  masked(results: readonly (string | undefined)[]): FieldState | undefined;
  /** So many values were masked. */
  hid(values: number): void;
  /** The server asks them something, and they are shown it. */
  questioned(id: string, method: string): void;
  /** It was answered. @param failure How it failed; undefined: it did not. */
  answered(id: string, failure: string | undefined): void;
  /** Something of the server's is not shown. */
  withheld(what: string): void;
}
