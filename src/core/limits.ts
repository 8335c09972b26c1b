/** Caps of the whole on what strangers may make us hold; what one protocol bounds stands with it. Each says its unit. */
export const LIMITS = {
  /** What all sessions may hold of messages not complete or not yet read, and of texts kept under names, octets. */
  heldBytes: 128 * 1024 * 1024,
  /** What detectors look through in one record of an answer (a row, a line), octets. What is beyond it is masked whole. */
  detectedRowBytes: 2 * 1024 * 1024,
  /** What detectors may find in one value. With more it is masked whole. */
  findingsPerValue: 10_000,
  /** Streams at once of one session, where it may have several. */
  streamsPerSession: 256,
  /** What is new in a thread of ours, MiB: V8 takes some 50 for it if it may, and gives none back. */
  threadYoungMb: 12,
  /**
   * Connections that the kernel keeps until we take them (it may keep fewer: `net.core.somaxconn`). One beyond it is
   * dropped without a word, and its client tries again after 1, 3 and 7 s.
   */
  listenBacklog: 4_096,
  /** Time to finish TLS and the request's head, ms. */
  handshakeMs: 10_000,
  /** Time to reach and log in to a target, ms. */
  targetConnectMs: 10_000,
} as const;
