/** Bounds of one SSH connection. Each says its unit. */
export const SSH_LIMITS = {
  /** Channels at once of one connection. */
  channels: 256,
  /** A command, octets of UTF-8: what Linux takes of one argument. */
  commandBytes: 128 * 1024,
  /** Variables of one channel, and octets of one name with its value. */
  variables: 64,
  variableBytes: 4096,
  /** Characters of a command as people read it. */
  textChars: 2048,
  /** Tries at the local end. */
  loginTries: 6,
  /** From the first octet to a login, ms. */
  loginMs: 30_000,
  /** What a client may send of one channel before it is taken, octets: the window that it is given, and once more. */
  unreadBytes: 4 * 1024 * 1024,
  /** What waits for one channel's other side before its source is paused, octets. */
  waitingBytes: 256 * 1024,
  /** Signals of one channel. */
  signals: 256,
  /** A silent client is asked whether it is there, ms, and how often. */
  keepAliveMs: 60_000,
  keepAliveTries: 3,
} as const;
