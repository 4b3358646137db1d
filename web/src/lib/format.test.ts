import { expect, test } from 'vitest';
import { bytes, keyTail, milliseconds, number, plural } from './format';

test('numbers are grouped by thin spaces', () => {
  expect(number(1234567)).toBe('1\u202f234\u202f567');
  expect(plural(1, 'hit')).toBe('1 hit');
  expect(plural(0, 'hit')).toBe('0 hits');
});

test('sizes keep two or three digits and never read 1000 of a unit', () => {
  expect(bytes(0)).toBe('0\u00a0B');
  expect(bytes(999)).toBe('999\u00a0B');
  expect(bytes(1536)).toBe('1.5\u00a0kB');
  expect(bytes(999_700)).toBe('1.0\u00a0MB');
  expect(bytes(52_300_000)).toBe('52\u00a0MB');
});

test('durations', () => {
  expect(milliseconds(0.314)).toBe('0.31\u00a0ms');
  expect(milliseconds(12.34)).toBe('12.3\u00a0ms');
  expect(milliseconds(1234.5)).toBe('1235\u00a0ms');
});

test('of a key the last two parts are shown, the folder not where the label says it', () => {
  expect(keyTail('/photos/cat/1.jpg', 'cat')).toBe('1.jpg');
  expect(keyTail('/photos/cat/1.jpg', 'dog')).toBe('cat/1.jpg');
  expect(keyTail('1.jpg', null)).toBe('1.jpg');
  expect(keyTail('/photos/2024/cat/1.jpg')).toBe('cat/1.jpg');
  expect(keyTail('1.jpg')).toBe('1.jpg');
  expect(keyTail('/')).toBe('/');
});
