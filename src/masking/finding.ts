/** A detector from the configuration: `pattern` is in re2 syntax, which is matched in linear time. */
export interface CustomDetector {
  readonly name: string;
  readonly pattern: string;
  readonly tags: readonly string[];
}

/** Something sensitive in a value: octets `start` … `end`, the tags that policy knows it by, and who found it. */
export interface Finding {
  readonly start: number;
  readonly end: number;
  readonly tags: readonly string[];
  readonly detector: string;
}
