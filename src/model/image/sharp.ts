/**
 * sharp's CommonJS build, which loads in half the time of its ES modules: those bring three CommonJS packages in, whose
 * exports Node has to find first. Every process and thread that reads pictures waits for it.
 */
import { createRequire } from 'node:module';
import type Sharp from 'sharp';

export type { FailOnOptions, Metadata, Sharp } from 'sharp';

export const sharp = createRequire(import.meta.url)('sharp') as typeof Sharp;
