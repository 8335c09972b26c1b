import { expect, it } from 'vitest';
import { LIMITS } from '../../../src/core/limits.ts';
import { DetectorSet } from '../../../src/masking/detectors/index.ts';
import type { Reveal } from '../../../src/policy/model.ts';
import { DetectedValues } from '../../../src/protocols/stream/detected-values.ts';
import { resource } from '../policy/support.ts';

const TAGS = ['pii.email', 'pii.national-id'];
const TEXT = 'a@b.cc 123-45-6789';

/** Shows what has one of these tags. */
function values(...shown: readonly string[]) {
  const asked: string[] = [];
  const reveal = ({ id }: { readonly id: string }): Reveal => {
    const tag = id.split('/').at(-1) ?? '';
    asked.push(tag);
    return shown.includes(tag) ? { show: true } : { show: false, mask: 'redact', rules: [] };
  };
  const detected = new DetectedValues({ reveal }, resource, new DetectorSet(), TAGS);
  const mask = (text: string) => String(detected.detect(Buffer.from(text), 'text'));
  return { asked, detected, mask, shown: shown as string[] };
}

it('masks what policy does not show, and asks once for each kind', () => {
  const { asked, detected, mask } = values('pii.email');
  detected.refresh();
  expect(detected.masks).toBe(true);
  expect([mask(TEXT), mask(TEXT)]).toEqual(['a@b.cc ***', 'a@b.cc ***']);
  expect(asked.toSorted()).toEqual(TAGS);
});

it('masks until it was asked, and nothing where all is shown', () => {
  const { detected, mask } = values(...TAGS);
  expect(detected.masks).toBe(true);
  detected.refresh();
  expect(detected.masks).toBe(false);
  expect(mask(TEXT)).toBe(TEXT);
});

it('asks anew when policy has changed', () => {
  const { detected, mask, shown } = values();
  detected.refresh();
  expect(mask(TEXT)).toBe('*** ***');
  shown.push('pii.national-id');
  expect(mask(TEXT)).toBe('*** ***');
  detected.refresh();
  expect(mask(TEXT)).toBe('*** 123-45-6789');
});

it('looks at each record as long as at any other', () => {
  const { detected } = values();
  expect(detected.attends(LIMITS.detectedRowBytes)).toBe(true);
  expect(detected.attends(1)).toBe(false);
  expect(() => detected.detect(Buffer.from(TEXT), 'text')).toThrow(
    expect.objectContaining({ code: 'ERR_LIMIT' }),
  );
  detected.nextRecord();
  expect(detected.attends(1)).toBe(true);
});

it('leaves nothing in a text for people, whatever policy shows', () => {
  const { detected } = values(...TAGS);
  expect(detected.cleanText(`for ${TEXT}`)).toBe('for *** ***');
  expect(detected.cleanText('nothing')).toBe('nothing');
});
