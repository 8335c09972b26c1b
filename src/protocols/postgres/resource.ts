import type { CredentialsAt } from './credentials/lease.ts';

/** A PostgreSQL database that hoopd may open, as the configuration gives it. */
export interface PostgresResource {
  /** Name in the configuration: `pg-prod`. */
  readonly name: string;
  readonly target: {
    readonly host: string;
    readonly port: number;
    readonly database: string;
    readonly tls: 'verify-full' | 'disable';
    /** PEM; the system's authorities if absent. */
    readonly ca?: string;
  };
  /** Asked at every new connection to the target, so that a rotated password is used at once. */
  readonly credentials: CredentialsAt;
  /** What sessions may set, beside what is harmless everywhere. */
  readonly settable: {
    /** Lists for `search_path`, as `SET` would list them. */
    readonly searchPaths: readonly (readonly string[])[];
    /** Names of settings that the database's own code reads. */
    readonly settings?: readonly string[];
  };
  /** `schema.table.column` → tags; or those of members of its documents, by their paths. */
  readonly classification: ReadonlyMap<
    string,
    readonly string[] | Readonly<Record<string, readonly string[]>>
  >;
  /** Queries that would compute with masked columns are run with masks in place of these; else they are refused. */
  readonly computesMasks: boolean;
  /** Where detectors mask something, free text is shown in plain columns alone, and by these functions: `schema.name`. */
  readonly plainText?: { readonly functions: ReadonlySet<string> } | undefined;
}
