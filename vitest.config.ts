import { defineConfig } from 'vitest/config';

// Two rings: `unit` is pure and quick; `integration` starts real servers and real clients.
// Two cores: few files at once, so that a real server's start does not time out beside another.
export default defineConfig({
  test: {
    projects: [
      { test: { name: 'unit', include: ['test/unit/**/*.test.ts'], testTimeout: 20_000 } },
      {
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
