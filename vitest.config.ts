import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

/** hoopctl and hoopd are started from their sources, hundreds of times: these are compiled once. */
const env = {
  NODE_COMPILE_CACHE:
    process.env['NODE_COMPILE_CACHE'] ?? join(import.meta.dirname, 'node_modules/.cache/compiled'),
};

/**
 * A ring that starts real servers, which are slow to start where many do.
 *
 * @param atOnce Files. One, where figures of memory or time would be of two; more than there are processors, where they mostly wait.
 */
const withServers = (name: string, atOnce: 1 | 2 | 3) => ({
  test: {
    name,
    env,
    include: [`test/${name}/**/*.test.ts`],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    maxWorkers: atOnce,
    isolate: false,
    maxConcurrency: 2,
    sequence: { groupOrder: atOnce === 1 ? 1 : 0 },
  },
});

// No ring isolates its files: they share what a worker has loaded, as no module of ours keeps state. It halves `unit`.
// `unit` is pure and quick, `integration` drives hoopctl and hoopd before one real PostgreSQL: `npm test`. `clients` has
// foreign programs and providers, and what mostly waits; `long` what wants the machine for itself: crashes, floods, full disks. `cluster`
// drives kubectl before a real cluster, which `npm run test:cluster` starts where one can be had.
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          env,
          include: ['test/unit/**/*.test.ts'],
          testTimeout: 20_000,
          maxWorkers: 2,
          isolate: false,
        },
      },
      withServers('integration', 2),
      withServers('clients', 3),
      withServers('long', 1),
      withServers('cluster', 1),
    ],
  },
});
