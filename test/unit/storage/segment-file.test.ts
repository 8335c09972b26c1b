import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { lockDirectory } from '../../../src/storage/dir-lock.ts';
import { type SegmentDisk, SegmentFile } from '../../../src/storage/segment-file.ts';
import { temporary } from '../../support/audit.ts';

const root = temporary();
let folders = 0;
const folder = () => join(root, `chain-${folders++}`);
afterAll(() => rmSync(root, { recursive: true, force: true }));

const line = (letter: string) => Buffer.from(`${letter.repeat(9)}\n`);
const text = (dir: string, name = '000001.ndjson') => readFileSync(join(dir, name), 'utf8');

/** A disk with room for so many octets, that takes at most five at a time. */
function smallDisk(room: number): SegmentDisk & { room: number; syncs: boolean } {
  return {
    room,
    syncs: true,
    write(fd, bytes, offset) {
      const count = Math.min(5, this.room, bytes.length - offset);
      if (count === 0) throw Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' });
      this.room -= count;
      return writeSync(fd, bytes, offset, count);
    },
    async sync() {
      if (!this.syncs) throw Object.assign(new Error('EIO'), { code: 'EIO' });
    },
  };
}

describe('a segment file', () => {
  it('takes short writes for what they are, and takes back a write that could not be finished', () => {
    const dir = folder();
    const disk = smallDisk(23);
    const file = new SegmentFile(dir, 1000, disk);
    file.write(line('a'));
    file.write(line('b'));
    expect(() => file.write(line('c'))).toThrow('ENOSPC');
    expect(text(dir)).toBe('aaaaaaaaa\nbbbbbbbbb\n');
    disk.room = 100;
    file.write(line('d'));
    file.close();
    expect(text(dir)).toBe('aaaaaaaaa\nbbbbbbbbb\nddddddddd\n');
  });

  it('begins a new segment when one is full, and after a sync that failed', async () => {
    const dir = folder();
    const disk = smallDisk(1000);
    const file = new SegmentFile(dir, 20, disk);
    for (const letter of 'abc') file.write(line(letter));
    disk.syncs = false;
    await expect(file.sync(10)).rejects.toThrow('EIO');
    expect(text(dir, '000002.ndjson')).toBe('');
    disk.syncs = true;
    file.write(line('d'));
    await file.sync(10);
    file.close();
    expect(readdirSync(dir)).toEqual(['000001.ndjson', '000002.ndjson', '000003.ndjson']);
    expect(text(dir)).toBe('aaaaaaaaa\nbbbbbbbbb\n');
    expect(text(dir, '000003.ndjson')).toBe('ddddddddd\n');
  });

  it('is for its owner only, and never opens what is there already', () => {
    const dir = folder();
    new SegmentFile(dir, 20).close();
    expect(statSync(dir).mode & 0o777).toBe(0o700);
    expect(statSync(join(dir, '000001.ndjson')).mode & 0o777).toBe(0o600);
    expect(() => new SegmentFile(dir, 20)).toThrow('EEXIST');
  });
});

describe('a lock on a directory', () => {
  it('is one, per name, until released', () => {
    const dir = folder();
    const first = lockDirectory(dir, 'writer-0');
    expect(() => lockDirectory(dir, 'writer-0')).toThrow(expect.objectContaining({ code: 'ERR_CONFIG' }));
    lockDirectory(dir, 'writer-1').release();
    first.release();
    lockDirectory(dir, 'writer-0').release();
  });

  it("is its owner's alone, with what SQLite puts beside it, also where an older hoopd made it", () => {
    const dir = folder();
    mkdirSync(dir);
    writeFileSync(join(dir, 'old.lock'), '', { mode: 0o644 });
    const locks = ['old', 'new'].map((name) => lockDirectory(dir, name));
    const files = readdirSync(dir);
    expect(files).toEqual(expect.arrayContaining(['old.lock', 'new.lock']));
    for (const file of files) expect([file, statSync(join(dir, file)).mode & 0o777]).toEqual([file, 0o600]);
    for (const lock of locks) lock.release();
  });
});
