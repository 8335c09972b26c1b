import type { Program } from '../programs.ts';

/** What a task leaves in the world: asked before, and after. */
export interface Effect {
  /** Of the database, by its administrator. */
  readonly sql?: string;
  /** Else what the API has heard: lines of `METHOD PATH`. */
  readonly before: string;
  readonly after: string;
}

/** One refusal that a real program meets, and what becomes of the task. */
export interface Situation {
  /** `psql` alone, unless said. */
  readonly by?: Program;
  /** The rule of policy that is named in its place. */
  readonly named?: string;
  /** Default `pg` for psql, `api` for curl, `host` for ssh. */
  readonly at?: string;
  readonly refused: readonly string[];
  /** Another way to the same end, which the agent knows: it goes it by what the refusal says, and not where it is to report. */
  readonly other: readonly string[];
  /** What the agent knows of the other way, in words by which a hint may name it. */
  readonly about?: string;
  /** Where the other way leads to something, if it does not there. */
  readonly otherAt?: string;
  /** What the other way prints; or what it leaves. */
  readonly shows?: string | RegExp;
  readonly leaves?: Effect;
}

/** Where a refusal is met that needs the world to change meanwhile: words of a test's title there. */
export interface ByItself {
  readonly file: string;
  readonly test: string;
}

/** Why none of an agent's programs can be told it. */
export interface NeverTold {
  readonly never: string;
}

export type Kind = Situation | ByItself | NeverTold;
