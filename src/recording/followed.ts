import type { RecordingSource } from './reader.ts';

/** Of a recording that is read while it grows. */
export interface Following {
  /** Whether more may come. Once false, everything is written that ever will be. */
  isLive(): boolean;
  /** Resolves when it is time to look again. */
  again(): Promise<void>;
}

/** The same octets; where they end it waits for more for as long as the session lives. */
export function followed(source: RecordingSource, following: Following): RecordingSource {
  return {
    async take(length) {
      for (;;) {
        // Asked before it is looked: what is written between the two is not missed.
        const more = following.isLive();
        const taken = await source.take(length);
        if (taken !== undefined || !more) return taken;
        await following.again();
      }
    },
    atEnd: () => source.atEnd(),
    close: () => source.close(),
  };
}
