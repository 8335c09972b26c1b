import type { PolicyObject, PolicyValue } from '../model.ts';

/** Facts that a request carries beside principal, action and object: one type of Cedar's schema. */
export interface ContextKind {
  /** Cedar's name of the type. */
  readonly type: string;
  /**
   * Its members in Cedar's syntax, each with a comma; `approvals` and `delegated` are added to every context. Where it
   * is empty, the facts of a request are left out.
   */
  readonly facts: string;
  /** What is assumed of a request whose adapter does not state a fact. */
  readonly worstCase: Readonly<Record<string, PolicyValue>>;
  /**
   * Facts that evidence may hold in clear: what is ours or the target's to name, and nothing that a caller writes. Of all
   * others it holds that they were there. Left out: none.
   */
  readonly recorded?: readonly string[];
  /** How values of facts are written, where a rule that writes another one can never be met. */
  readonly written?: Readonly<Record<string, Written>>;
}

/** Of a fact that is a set of texts. */
export interface Written {
  readonly form: RegExp;
  /** One of them, as a rule writes it. */
  readonly like: string;
}

/** One verb, with everything that policy, `--only`, `--read-only` and `@rows` need to know of it. */
export interface VerbRow {
  /** Unique among all parts: `connect`, `reveal`, … */
  readonly verb: string;
  /** The group that it belongs to; groups lie within groups. */
  readonly group?: string;
  /** Entity types that it is done to. The narrower, the more a rule may ask without `is`. */
  readonly on: readonly string[];
  /** Left out: a request carries no facts, and can wait for no approval. */
  readonly context?: ContextKind;
  /** Changes nothing of anyone's data: left by `--read-only`. A verb without it writes. */
  readonly reads?: true;
  /** Objects on which every client needs it and changes nobody's data: no attenuation takes it away. */
  readonly always?: (object: PolicyObject) => boolean;
  /** It changes rows: the target says how many, or nobody can. Left out: it changes none, and no `@rows` bounds it. */
  readonly rows?: 'counted' | 'uncounted';
  /**
   * Its protocol ends an answer that goes over a limit: what a permit's `@limit` needs; `octets`: of octets and time, for there are
   * no rows. Left out: no `@limit` is about it.
   */
  readonly limited?: true | 'octets';
  /** Objects on which it changes no rows all the same. */
  readonly rowless?: (object: PolicyObject) => boolean;
}

/** The words that one protocol, or hoopd itself, brings into policies. */
export interface VocabularyPart {
  readonly name: string;
  /** Each group with the one that it lies within; undefined at the root. */
  readonly groups?: Readonly<Record<string, string | undefined>>;
  /** Cedar's declarations of its entity types. */
  readonly entities: string;
  readonly verbs: readonly VerbRow[];
  /** Verbs of other parts that are done to this part's entities too, with their types. */
  readonly alsoOn?: Readonly<Record<string, readonly string[]>>;
  /** How attributes of its entities are written, by type and name, where not every text can be one. */
  readonly attributes?: Readonly<Record<string, Readonly<Record<string, Written>>>>;
  /** Of these types a verb is permitted only by rules whose head names the type, not by such as say `resource` alone. */
  readonly byName?: Readonly<Record<string, readonly string[]>>;
}
