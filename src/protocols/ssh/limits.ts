/** Bounds of one SSH connection. Each says its unit. */
export const SSH_LIMITS = {
  /** Channels at once of one connection. */
  channels: 256,
  /** Ports at which the host listens for one connection. */
  listeners: 16,
  /** Refusals of a connection that are told by what runs over it. */
  remarks: 16,
  /** A command, octets of UTF-8: what Linux takes of one argument. */
  commandBytes: 128 * 1024,
  /** Variables of one channel, and octets of one name with its value. */
  variables: 64,
  variableBytes: 4096,
  /** Tries at the local end. */
  loginTries: 6,
  /** From the first octet to a login, ms. */
  loginMs: 30_000,
  /** What one side may send of a channel before the other takes it, octets; ssh2's own bound. */
  windowBytes: 2 * 1024 * 1024,
  /** What waits for one channel's other side before its source is given no more window, octets. */
  waitingBytes: 64 * 1024,
  /** Beside its octets each message costs so much to hold, octets. */
  messageBytes: 256,
  /** What either side may leave unread of ssh2's own answers before it is read no further, octets. */
  unreadBytes: 1024 * 1024,
  /** Questions of one connection that are asked only to be on record, at once. */
  recordedAtOnce: 64,
  /** Signals of one channel. */
  signals: 256,
  /** What keys are used for before there are new ones: octets both ways together, and ms. */
  keyBytes: 1024 ** 3,
  keyMs: 3_600_000,
  /** New keys are agreed on within this time, ms: behind all that is on its way. */
  exchangeMs: 120_000,
  /** Answers of ssh2's own that wait for new keys. */
  queuedMessages: 65_536,
  /** A silent client is asked whether it is there, ms, and how often. */
  keepAliveMs: 60_000,
  keepAliveTries: 3,
} as const;
