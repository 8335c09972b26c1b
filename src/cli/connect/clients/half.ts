import type { Duplex } from 'node:stream';
import type { ResourceItem } from '../../../api/contract.ts';
import type { Address } from '../../../client/listener.ts';
import type { AheadAnswer, AheadQuestion, LocalProtocol } from '../../../client/local/protocol.ts';
import type { TunnelFiles } from '../tunnel-files.ts';

/** One resource with its open local end. */
export interface LocalEnd {
  readonly resource: ResourceItem;
  /** Which of many hosts behind the resource. */
  readonly place: string | undefined;
  readonly address: Address;
  /** Of a local port; none for an owner-only socket. */
  readonly secret: string | undefined;
  /** Of the authority that clients must trust, where they speak TLS with the local end. */
  readonly caFile: string | undefined;
}

/** hoopctl's half of a protocol: what its clients must be told so that they go through the tunnel. */
export interface ClientHalf {
  readonly local: LocalProtocol;
  /** Inherited variables that would send clients past the tunnel, or make them want what a local end does not have. */
  readonly removes: readonly string[];
  /**
   * Asks ahead for one operation, over a stream where nothing runs.
   *
   * @throws {HoopError} `ERR_DENIED`, and what ended the stream.
   */
  askAhead(remote: Duplex, resource: ResourceItem, question: AheadQuestion): Promise<AheadAnswer>;
  /**
   * Makes ready for clients of all ends of this protocol, before anybody is told of them.
   *
   * @param files Written here, they live as long as the tunnel.
   * @throws {HoopError} `ERR_USAGE` these clients cannot be told what is wished.
   */
  prepare(
    ends: readonly LocalEnd[],
    files: TunnelFiles,
    wishes: ClientWishes,
  ): ClientSetup | Promise<ClientSetup>;
}

/** How clients would like to be told. */
export interface ClientWishes {
  /** The secret apart from the URL, as a token. */
  readonly bearer: boolean;
  /** What they would have had. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** What clients of one protocol are told. */
export interface ClientSetup {
  /** What clients find by themselves in their environment; where there are several ends, the first one's. */
  readonly variables: Readonly<Record<string, string>>;
  /** The end's address in one word, for `<NAME>_URL`. */
  url(end: LocalEnd): string;
  /**
   * What a person types next, a line each, every value quoted for the shell: it will be pasted.
   *
   * @param alone The only end: its variables can be exported.
   */
  steps(end: LocalEnd, alone: boolean): readonly string[];
  /** What `--json` says of an end beside its address. */
  facts(end: LocalEnd): Readonly<Record<string, unknown>>;
}

/** What `connect --help` says of a protocol's clients. */
export interface ClientHelp {
  /** Names of `ClientSetup.variables`. */
  readonly variables: string;
  readonly remark: string;
  /** How a client is pointed at a socket in DIRECTORY; absent where none can be. */
  readonly socket?: string;
  readonly examples: {
    readonly command: string;
    readonly socket: string;
    readonly ask: string;
    readonly explain: string;
  };
}
