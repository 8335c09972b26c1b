import { readFileSync } from 'node:fs';

/** One mebibyte in the KiB that the kernel counts in. */
export const MiB = 1024;

/** Resident memory of a process, KiB. */
function memory(pid: number | undefined): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
}

/** Runs `act` and gives by how much each process grew at most meanwhile, KiB. */
export async function growthOf<K extends string>(
  pids: Readonly<Record<K, number | undefined>>,
  act: () => Promise<void>,
): Promise<Record<K, number>> {
  const names = Object.keys(pids) as K[];
  const before = new Map(names.map((name) => [name, memory(pids[name])]));
  const peak = new Map(before);
  const watch = setInterval(() => {
    for (const name of names) peak.set(name, Math.max(peak.get(name) ?? 0, memory(pids[name])));
  }, 50);
  try {
    await act();
  } finally {
    clearInterval(watch);
  }
  const grown = names.map((name) => [name, (peak.get(name) ?? 0) - (before.get(name) ?? 0)]);
  return Object.fromEntries(grown) as Record<K, number>;
}
