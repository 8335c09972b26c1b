/** Octets `start` … `end` of what was found. */
export interface Span {
  readonly start: number;
  readonly end: number;
}
