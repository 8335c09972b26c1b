/** A column, a whole row or a star, as it is written. */
export interface Ref {
  /** For a star the qualifier only. */
  readonly path: readonly string[];
  readonly star: boolean;
}

/** What an expression looks at, as far as it names it. */
export interface Looks {
  readonly refs: readonly Ref[];
  readonly queries: readonly QueryShape[];
}

/** Something in FROM. */
export type FromShape =
  | {
      readonly kind: 'relation';
      readonly schema?: string;
      readonly name: string;
      readonly alias: string;
      /** What its first columns are called instead. */
      readonly renames: readonly string[];
      readonly looks: Looks;
    }
  | {
      readonly kind: 'query';
      readonly alias: string;
      readonly renames: readonly string[];
      readonly lateral: boolean;
      readonly query: QueryShape;
    }
  /** Functions, and all whose columns are not known by name. */
  | { readonly kind: 'function'; readonly aliases: readonly string[]; readonly looks: Looks }
  | {
      readonly kind: 'join';
      readonly left: FromShape;
      readonly right: FromShape;
      readonly using: readonly string[];
      readonly natural: boolean;
      readonly on: Looks;
      /** Undefined: the joined are spoken of by their own. */
      readonly alias?: string;
      readonly renames: readonly string[];
      /** `USING (…) AS alias`. */
      readonly usingAlias?: string;
    };

export interface TargetShape {
  /** Undefined: the server makes one up. */
  readonly name?: string;
  /** It is this alone. */
  readonly ref?: Ref;
  readonly looks: Looks;
}

export interface CteShape {
  readonly name: string;
  readonly renames: readonly string[];
  readonly query: QueryShape;
}

/** A query, as what reads what. */
export interface QueryShape {
  readonly recursive: boolean;
  readonly ctes: readonly CteShape[];
  /** Of a set operation. */
  readonly arms?: readonly [QueryShape, QueryShape];
  /** Rows that are equal are one: DISTINCT, and set operations but UNION ALL. */
  readonly merges: boolean;
  readonly from: readonly FromShape[];
  readonly targets: readonly TargetShape[];
  /** Conditions, limits, windows. */
  readonly where: Looks;
  /** ORDER BY, GROUP BY, DISTINCT ON, where a name may also mean an output column. */
  readonly sorts: Looks;
  /** From 1. */
  readonly positions: readonly number[];
}
