import { defineConfig } from 'vitest/config';

/** A ring that starts real servers: few files at once on two cores, so that no server's start times out beside another. */
const withServers = (name: string) => ({
  test: {
    name,
    include: [`test/${name}/**/*.test.ts`],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    fileParallelism: false,
  },
});

// `unit` is pure and quick, `integration` drives hoopctl and hoopd before one real PostgreSQL: `npm test`. `clients` has
// foreign programs and providers, `long` what takes its time: crashes, floods, full disks, networks that go away.
export default defineConfig({
  test: {
    projects: [
      { test: { name: 'unit', include: ['test/unit/**/*.test.ts'], testTimeout: 20_000 } },
      withServers('integration'),
      withServers('clients'),
      withServers('long'),
    ],
  },
});
