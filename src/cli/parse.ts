/**
 * Values that people type: durations, moments, numbers.
 */
import { HoopError } from '../core/errors.ts';

const UNITS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/**
 * Reads `90s`, `30m`, `8h`, `2d`, `1h30m`.
 *
 * Pure. @returns Milliseconds, 1000 or more.
 * @throws {HoopError} `ERR_USAGE` anything else, zero included.
 */
export function parseDuration(text: string, name: string): number {
  const parts = /^(?:\d{1,9}[smhd])+$/.test(text) ? [...text.matchAll(/(\d+)([smhd])/g)] : [];
  const total = parts.reduce((sum, [, count, unit]) => sum + Number(count) * (UNITS[unit ?? ''] ?? 0), 0);
  if (total > 0) return total;
  throw new HoopError('ERR_USAGE', `${name} "${text}" is not a duration`, {
    hint: 'such as 90s, 30m, 8h, 2d',
  });
}

/**
 * Reads a moment: a duration before now, or a date, or RFC 3339. Dates without a zone are this machine's.
 *
 * @returns RFC 3339 in UTC. @throws {HoopError} `ERR_USAGE`.
 */
export function parseMoment(text: string, name: string, nowMs: number): string {
  if (/^\d+[smhd]/.test(text)) return new Date(nowMs - parseDuration(text, name)).toISOString();
  const local = /^\d{4}-\d{2}-\d{2}$/.test(text) ? `${text}T00:00:00` : text;
  const moment = /^\d{4}-\d{2}-\d{2}T/.test(local) ? new Date(local) : new Date(Number.NaN);
  if (!Number.isNaN(moment.getTime())) return moment.toISOString();
  throw new HoopError('ERR_USAGE', `${name} "${text}" is not a time`, {
    hint: 'such as 1h, 2026-01-31 or 2026-01-31T12:00:00Z',
  });
}

/** Reads a whole number. @throws {HoopError} `ERR_USAGE` not one, or outside the bounds. */
export function parseWhole(text: string, name: string, min: number, max: number): number {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw new HoopError('ERR_USAGE', `${name} "${text}" is not a number from ${min} to ${max}`);
}
