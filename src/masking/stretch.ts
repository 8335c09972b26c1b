/** A value within a larger piece of memory: nothing before `start` or from `end` on is looked at. Reused, never kept. */
export class Stretch {
  bytes: Uint8Array = new Uint8Array();
  start = 0;
  end = 0;

  set(bytes: Uint8Array, start: number, end: number): void {
    this.bytes = bytes;
    this.start = start;
    this.end = end;
  }

  /** The octet at `place`, or 0 outside of the value. */
  at(place: number): number {
    return place >= this.start && place < this.end ? this.bytes[place]! : 0;
  }

  /** Whether the octets at `from` spell `ascii`. */
  spells(from: number, ascii: string): boolean {
    if (from < this.start || from + ascii.length > this.end) return false;
    for (let i = 0; i < ascii.length; i++) if (this.bytes[from + i] !== ascii.charCodeAt(i)) return false;
    return true;
  }

  /** First place at or after `from`, at most `max` on, whose octet is not in the class. */
  spanEnd(from: number, members: Uint8Array, max = this.end): number {
    const { bytes, end } = this;
    const stop = from + max < end ? from + max : end;
    let at = from;
    while (at < stop && members[bytes[at]!] === 1) at++;
    return at;
  }

  /** Last place at or before `from`, at most `max` back, such that all octets from it up to `from` are in the class. */
  spanStart(from: number, members: Uint8Array, max: number): number {
    const { bytes, start } = this;
    const stop = from - max > start ? from - max : start;
    let at = from;
    while (at > stop && members[bytes[at - 1]!] === 1) at--;
    return at;
  }

  /** ASCII of a few octets. */
  text(from: number, to: number): string {
    let text = '';
    const [first, last] = [Math.max(from, this.start), Math.min(to, this.end)];
    for (let at = first; at < last; at++) text += String.fromCharCode(this.bytes[at]!);
    return text;
  }
}
