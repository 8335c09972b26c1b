import type { z } from 'zod';
import type { ConnectFacts, LocalProofKind } from '../api/contract.ts';
import type { ReplayFrame } from '../api/replay.ts';
import type { AuditLog } from '../audit/event.ts';
import type { Allowance } from '../core/allowance.ts';
import type { Clock } from '../core/clock.ts';
import type { Complain, SecretRef } from '../core/config/shape.ts';
import type { Log } from '../core/log.ts';
import type { NextStep } from '../core/next-step.ts';
import type { Secret } from '../core/secret.ts';
import type { Turns } from '../core/turns.ts';
import type { DetectorSet } from '../masking/detectors/index.ts';
import type { PolicyObject } from '../policy/model.ts';
import type { NamedEntity } from '../policy/named.ts';
import type { VocabularyPart } from '../policy/vocabulary/row.ts';
import type { RecordedItem } from '../recording/items.ts';
import type { Adapter } from './adapter.ts';

/**
 * Everything that the gateway knows of a protocol. Adding one is a folder beside `postgres/` and a line in `index.ts`.
 *
 * Pure but for `shared` and `create`, which may start threads and open connections.
 */
export interface Protocol<
  Config extends ResourceConfig = ResourceConfig,
  Shared extends SharedParts = SharedParts,
> {
  /** What `protocol:` of a resource says: lower-case letters. */
  readonly name: string;
  /** What policies call that which it does; protocols may share one. */
  readonly vocabulary: VocabularyPart;
  /** The words by which it refuses whatever policy permits, with what follows; left away: it has none. */
  readonly refusals?: Readonly<Record<string, { readonly next: NextStep }>>;
  /** `connection`: each stream is a session of its own. `tunnel`: the streams of one tunnel are one session. */
  readonly session: 'connection' | 'tunnel';
  /** How the local end proves the tunnel's secret; a proof of another kind is refused. */
  readonly localProof: LocalProofKind;
  /** A resource of it for `hoopd init`; left away, none is written. */
  readonly starter?: StarterResource;
  /**
   * The shape under `resources.NAME`: an object with `protocol` and `session`. Messages read `problem; cure`.
   *
   * @param base Directory that relative paths start from.
   */
  config(base: string): z.ZodType<Config>;
  /** Where secrets are referred to. They are looked up by the gateway and handed to the adapter when it asks. */
  secrets(config: Config): readonly SecretAt[];
  /** Files of certificate authorities that are named. They are read by the gateway. */
  authorities(config: Config): readonly FileAt[];
  /** Other files that are named. They are read by the gateway. Left away: there are none. */
  documents?(config: Config): readonly DocumentAt[];
  /** Complains, with paths below the resource, of what the shape alone cannot tell. */
  check(config: Config, complain: Complain): void;
  /** What is said of a resource to those who may reach it. */
  describe(resource: NamedResource<Config>, ownSecret: OwnSecret): ResourceFacts;
  /**
   * Asks who answers at a place, for whoever writes the configuration. Left away: there is nothing to write down.
   *
   * @param place `host-1.internal:22`, its port left away where it is the usual one.
   * @throws {HoopError} `ERR_USAGE` it is no place; `ERR_TARGET_…`.
   */
  seenKeys?(place: string): Promise<readonly SeenKey[]>;
  /**
   * Reads once what the target has, as its sessions would find it, and leaves nothing there. Left away: there is nothing that
   * names could be compared with.
   *
   * @throws {HoopError} `ERR_TARGET_…`.
   */
  readNames?(resource: ConfiguredResource<Config>, deps: ReadDeps): Promise<TargetNames>;
  /** What all resources of this protocol use together: made with the first of them, closed with the last. */
  shared(deps: SharedDeps): Shared;
  /** Makes the adapter of one resource. It connects to nothing before the first stream, but to clear up after an earlier start. */
  create(resource: ConfiguredResource<Config>, shared: Shared, deps: AdapterDeps): Adapter;
  /**
   * Turns a recorded session into what a person watches; the last frame is an `end`.
   *
   * @throws {HoopError} What `items` throws.
   */
  replay(items: AsyncIterable<RecordedItem>): AsyncIterable<ReplayFrame>;
}

/** What the configuration of every resource has. */
export interface ResourceConfig {
  readonly protocol: string;
  /** Milliseconds. `idle` undefined: a silent client is left alone. */
  readonly session: { readonly max: number; readonly idle?: number | undefined };
}

/** A place below `resources.NAME`. */
type Path = readonly string[];

interface SecretAt {
  readonly path: Path;
  readonly ref: SecretRef;
}

interface FileAt {
  readonly path: Path;
  /** Absolute. */
  readonly file: string;
}

interface DocumentAt extends FileAt {
  /** What is wrong with its text; undefined: nothing. */
  mistake(text: string): { readonly problem: string; readonly cure: string } | undefined;
}

interface NamedResource<Config> {
  /** Name in the configuration: `pg-prod`. */
  readonly name: string;
  readonly config: Config;
  /** Its policy entity. */
  readonly object: PolicyObject;
}

/** A resource with what the gateway has read for it. */
export interface ConfiguredResource<Config> extends NamedResource<Config> {
  /** PEM that the file at this path of `authorities` holds; undefined if none is named. */
  authority(path: Path): string | undefined;
  /** Text of the file at this path of `documents`; undefined if none is named. */
  document(path: Path): string | undefined;
  /**
   * The secret at this path of `secrets`, as it is now: ask at each connection, so that a rotated one is used at once.
   *
   * @throws {HoopError} `ERR_TARGET_AUTH`: the resource is not configured any more.
   */
  secret(path: Path): Secret;
}

export interface ResourceFacts {
  /** What clients are told to connect with. Never a secret. */
  readonly connect: Omit<ConnectFacts, 'protocol'>;
  /** What is classified, as policy asks of it: the action `reveal`. */
  readonly classified: readonly PolicyObject[];
}

/** A public key that a target shows. */
export interface SeenKey {
  /** As the configuration takes it. */
  readonly line: string;
  /** As people compare it. */
  readonly fingerprint: string;
}

interface StarterResource {
  /** Lines of YAML below `resources:`, two spaces in. */
  readonly yaml: string;
  /** File beside the configuration → what it holds. Written with mode 0600. */
  readonly files: Readonly<Record<string, string>>;
}

export interface SharedParts {
  /** Called once, when no adapter uses them any more. */
  close(): Promise<void>;
}

/**
 * 32 octets that this gateway alone has, the same after a restart, others for each purpose. Pure.
 *
 * @param purpose A word of the protocol's own.
 */
export type OwnSecret = (purpose: string) => Buffer;

export interface SharedDeps {
  readonly ownSecret: OwnSecret;
  /** Of the whole process. */
  readonly turns: Turns;
}

export interface ReadDeps {
  readonly clock: Clock;
  readonly log: Log;
  /** For what the adapter does at the target unasked: operations are the guard's. */
  readonly audit: Pick<AuditLog, 'append'>;
}

export interface AdapterDeps extends SharedDeps, ReadDeps {
  /** Whose work it is, where several gateways serve one target: its name in audit chains, and one start of it. */
  readonly gateway: { readonly gateway: string; readonly boot: string };
  /** Memory that all sessions hold together. */
  readonly allowance: Allowance;
  /** In force now: asked at the start of each session. */
  readonly detectors: () => Detectors;
  /** Told what the target has, where that is known, and each time that it has become another. Returns at once. */
  readonly learned: (names: TargetNames) => void;
}

export interface Detectors {
  readonly set: DetectorSet;
  /** Every tag that a detector can find. */
  readonly tags: readonly string[];
}

/** What a rule names, and what for. */
export interface RuleName extends NamedEntity {
  /** The rule hides what it names, and does nothing else. */
  readonly hides: boolean;
}

/** Something is named that is not there, or of which nothing of the kind is. */
export interface StrangeName {
  /** Behind the name, as a part of a sentence: `which the database does not have`. */
  readonly problem: string;
  /** Made when it is asked for: it may look through all that there is. */
  cure(): string;
}

/** The same, named by the resource's own configuration. */
export interface StrangeSetting extends StrangeName {
  /** Below the resource. */
  readonly path: readonly string[];
}

/** What a target had at one moment, for comparing names with it. Pure. */
export interface TargetNames {
  /** Each name in the resource's own configuration that means nothing there, or not what it seems to. */
  configured(): readonly StrangeSetting[];
  /** @returns Undefined: it is there, or no name of the target's. */
  named(name: RuleName): StrangeName | undefined;
}
