/** Caps on what strangers may make us hold. Each says its unit and where it comes from. */
export const LIMITS = {
  /** Startup packet, octets: PostgreSQL's own MAX_STARTUP_PACKET_LENGTH. */
  pgStartupBytes: 10_000,
  /** One frontend message, octets without type and length. Statements and parameters come in these. */
  pgFrontendMessageBytes: 64 * 1024 * 1024,
  /** One backend message we must hold whole (all but DataRow and CopyData forwarded as they are). */
  pgBackendMessageBytes: 256 * 1024 * 1024,
  /** One statement's text, octets; larger ones are refused with 54000. */
  sqlTextBytes: 4 * 1024 * 1024,
  /** Prepared statements and portals known per session. */
  pgNamesPerSession: 4096,
  /** Texts of all prepared statements of a session together, and of all its portals, characters. */
  pgNamedTextBytes: 8 * 1024 * 1024,
  /** What all sessions together may hold of messages that are not complete or not yet read, and of named texts, octets. */
  heldBytes: 128 * 1024 * 1024,
  /** What detectors look through in one row, or one line of COPY, octets. What is beyond it is masked whole. */
  detectedRowBytes: 2 * 1024 * 1024,
  /** What detectors may find in one value. With more it is masked whole. */
  findingsPerValue: 10_000,
  /** Streams at once of one session, where it may have several. */
  streamsPerSession: 256,
  /** Messages forwarded whose answer is outstanding, per session: beyond it the client is not read. */
  pgPipelineDepth: 1_024,
  /** A message that lacks its end takes turns with others from here on, octets. */
  pgLargeMessageBytes: 64 * 1024,
  /** What is new in a thread of ours, MiB: V8 takes some 50 for it if it may, and gives none back. */
  threadYoungMb: 12,
  /** Octets waiting for a slow peer before its counterpart is paused. */
  writeBufferBytes: 1024 * 1024,
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
