import type { TargetName } from './targets.ts';

export interface BenchOptions {
  readonly quick: boolean;
  readonly say: (text: string) => void;
}

export interface BenchResult {
  readonly values: Partial<Record<TargetName, number[]>>;
  readonly notes: Record<string, string>;
  /** Median of a write and its fdatasync on the disk that held the audit chain, µs. */
  fdatasyncUs: number;
}

export type BenchRun = BenchOptions & BenchResult;

export function note({ values }: BenchResult, name: TargetName, value: number): void {
  values[name] = [...(values[name] ?? []), value];
}

/** There and back again, so that a drift of the machine falls on all alike. */
export async function interleaved<T extends string>(
  rounds: number,
  names: readonly T[],
  once: (name: T) => Promise<number>,
  each: (round: Record<T, number>) => void,
): Promise<void> {
  for (let i = 0; i < rounds; i++) {
    const order = i % 2 === 0 ? names : [...names].reverse();
    const round = {} as Record<T, number>;
    for (const name of order) round[name] = await once(name);
    each(round);
  }
}
