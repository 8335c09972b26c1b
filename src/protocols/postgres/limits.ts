/** Caps on what PostgreSQL's clients and targets may make us hold, beside those of a message (wire/postgres/caps.ts). */
export const POSTGRES_LIMITS = {
  /** One statement's text, octets; larger ones are refused with 54000. */
  sqlTextBytes: 4 * 1024 * 1024,
  /** Prepared statements known per session, and portals. */
  namesPerSession: 4096,
  /**
   * Texts of all prepared statements of a session together, and of all its portals, UTF-16 units: V8 holds a text in one
   * octet for each, or in two where it has a character beyond Latin-1.
   */
  namedTextUnits: 8 * 1024 * 1024,
  /** Messages forwarded whose answer is outstanding, per session: beyond it the client is not read. */
  pipelineDepth: 1_024,
  /** A message that lacks its end takes turns with others from here on, octets. */
  largeMessageBytes: 64 * 1024,
} as const;
