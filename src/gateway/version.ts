import { readFileSync } from 'node:fs';

/** The package's version. The bundle lies one folder below `package.json`, the sources two. */
export function packageVersion(): string {
  const up = import.meta.url.endsWith('.ts') ? '../../package.json' : '../package.json';
  const manifest = JSON.parse(readFileSync(new URL(up, import.meta.url), 'utf8')) as { version?: unknown };
  return String(manifest.version ?? 'unknown');
}
