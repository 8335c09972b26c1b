import { readFileSync } from 'node:fs';

/** This package's version, from the package.json above `src/cli` and above `dist` alike. */
export const VERSION = readVersion();

function readVersion(): string {
  for (const path of ['../package.json', '../../package.json']) {
    try {
      const value = JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8')) as { version?: unknown };
      if (typeof value.version === 'string') return value.version;
    } catch {
      // Tried the next place.
    }
  }
  return 'unknown';
}
