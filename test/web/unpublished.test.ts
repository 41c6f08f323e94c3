import { expect, it } from 'vitest';
import { unpublished } from '../../web/src/train/unpublished.ts';

const progress = (epoch: number) => ({ epoch }) as NonNullable<Parameters<typeof unpublished>[0]['progress']>;
const listed = (...epochs: number[]) => epochs.map((epoch) => ({ epoch })) as never;

it('the epoch under way is none of them', () => {
  expect(unpublished({ status: 'running', progress: progress(5), epochs: listed(1, 3) })).toEqual([2, 4]);
});

it('the last epoch of a job that has succeeded is one of them where it has no version', () => {
  expect(unpublished({ status: 'succeeded', progress: progress(5), epochs: listed(1) })).toEqual([
    2, 3, 4, 5,
  ]);
  expect(unpublished({ status: 'succeeded', progress: progress(2), epochs: listed(1, 2) })).toEqual([]);
});

it('there is none before the first step', () => {
  expect(unpublished({ status: 'queued', progress: null, epochs: [] })).toEqual([]);
});
