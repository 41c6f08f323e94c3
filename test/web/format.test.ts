import { describe, expect, it } from 'vitest';
import { heatOf } from '../../web/src/models/heat.ts';
import { age, count, duration, milliseconds, percent, probability } from '../../web/src/ui/format.ts';
import { sentence } from '../../web/src/ui/sentence.ts';

const plain = (text: string) => text.replaceAll('\u202f', ' ');

describe('shares', () => {
  it.each([
    [0.9164, 1, '91.6 %'],
    [0, 1, '0.0 %'],
    [1, 1, '100.0 %'],
    [0.99996, 1, '99.9 %'], // not all
    [0.9931, 2, '99.31 %'],
    [0.29, 0, '29 %'],
  ])('%d with %d digits is %s', (share, digits, text) => {
    expect(plain(percent(share, digits))).toBe(text);
  });
});

describe('times', () => {
  it.each([
    [0, '0 s'],
    [59.4, '59 s'],
    [59.6, '1 min 0 s'],
    [80, '1 min 20 s'],
    [7500, '2 h 5 min'],
    [-1, '0 s'],
  ])('%d s is %s', (seconds, text) => {
    expect(plain(duration(seconds))).toBe(text);
  });

  it.each([
    [0.113, '0.11 ms'],
    [4.03, '4.0 ms'],
    [24.4, '24 ms'],
  ])('%d ms is %s', (ms, text) => {
    expect(plain(milliseconds(ms))).toBe(text);
  });

  it.each([
    ['2026-01-01T11:59:50Z', 'just now'],
    ['2026-01-01T12:00:05Z', 'just now'], // the server's clock is ahead
    ['2026-01-01T11:55:00Z', '5 min ago'],
    ['2026-01-01T09:00:00Z', '3 h ago'],
    ['2025-12-31T10:00:00Z', '1 day ago'],
    ['2025-12-25T12:00:00Z', '7 days ago'],
  ])('%s is %s', (iso, text) => {
    expect(plain(age(iso, Date.parse('2026-01-01T12:00:00Z')))).toBe(text);
  });
});

it.each([
  [0.032, '= 0.032'],
  [1, '= 1.0'],
  [6.7e-65, '< 0.001'],
])('the probability %d is said as p %s', (p, text) => {
  expect(probability(p)).toBe(text);
});

it('counts have their thousands apart', () => {
  expect(count(121_514)).toBe('121,514');
});

it('details become sentences', () => {
  expect(sentence('expected a, got b')).toBe('Expected a, got b.');
  expect(sentence('Already one!')).toBe('Already one!');
});

it('single mistakes are tinted visibly, and the most of them fully', () => {
  expect(heatOf(0, 9)).toBe(0);
  expect(heatOf(1, 9)).toBeCloseTo(1 / 3);
  expect(heatOf(9, 9)).toBe(1);
});
