/** Bounds of one connection and one exchange. Each says its unit. */
export const HTTP_LIMITS = {
  /** All of a request's head, octets: beyond it the connection ends. */
  headBytes: 96 * 1024,
  /** From the first octet of a head to its last, ms. */
  headMs: 30_000,
  /** A body of which nothing comes while it is waited for, ms. */
  silentBodyMs: 120_000,
  /** What is sent ahead over one connection of HTTP/1.1, whose requests are answered one by one, octets: beyond it nothing is read. */
  aheadBytes: 64 * 1024,
  /** Streams at once of one connection of HTTP/2. */
  concurrentStreams: 128,
  /** Streams of one connection that its client may take back, at once and per second: each has begun something at the target. */
  takenBack: 256,
  takenBackPerSecond: 33,
  /** What one connection of HTTP/2 may make us hold, MiB. */
  http2Megabytes: 16,
  /** Of a refused request: what is read away so that the connection goes on, octets. */
  drainedBytes: 256 * 1024,
  /** A body that an approval can cover: it is held whole, octets. */
  approvableBytes: 8 * 1024 * 1024,
  /** A request's body that is recorded; of a longer one its size, octets. */
  recordedRequestBytes: 64 * 1024,
  /** An answer's body that is recorded; of the rest its size, octets. */
  recordedAnswerBytes: 16 * 1024 * 1024,
  /** Requests of one resource that its target has not answered whole: each has a connection. */
  targetRequests: 1024,
  /** Connections to a target that are kept for the next request, and for how long, ms: less than servers keep theirs. */
  keptConnections: 64,
  keptMs: 4_000,
  /** A connection of HTTP/2 that carries nothing is kept for so long, ms: its end is told, so that nothing is lost by it. */
  keptSessionMs: 30_000,
  /** What a target may send ahead over one stream, and over all of a connection, octets. */
  targetWindowBytes: 256 * 1024,
  targetWindowsBytes: 4 * 1024 * 1024,
  /** From the first octet of a target's head to its last, ms. */
  targetHeadMs: 30_000,
  /** Heads of a target's before its answer. */
  earlyHeads: 32,
} as const;
