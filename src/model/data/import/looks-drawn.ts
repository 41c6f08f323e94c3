/** Whether a picture looks like one drawn or printed character: one shape of ink on an even ground, thin or of one tone. */
import { borderOf } from '../../image/border.ts';
import type { Greys } from '../../image/greys.ts';
import { findShapes } from '../../image/shapes.ts';

const evenNoise = 12; // levels; the standard deviation of the ground
const leastContrast = 48; // levels between ground and ink
const leastMain = 0.6; // of the ink, in the largest shape: i, j and ä have dots
const mostShapes = 5; // of more than a few pixels
const leastShape = 0.02; // of the ink; less is a speck
const mostInk = 0.5; // of the picture's box; things fill more
const mostMiddle = 0.5; // of the ink, neither ground nor full ink: soft edges are fewer than shades

export function looksDrawn(greys: Greys): boolean {
  const { level, noise } = borderOf(greys);
  if (noise > evenNoise) return false;
  const contrast = largestContrast(greys, level);
  if (contrast < leastContrast) return false;
  const pixels = new Uint8Array(greys.values.length);
  let [ink, middle] = [0, 0];
  for (let i = 0; i < pixels.length; i++) {
    const distance = Math.abs(greys.values[i]! - level);
    if (distance <= contrast / 3) continue;
    pixels[i] = 1;
    ink++;
    if (distance < (2 / 3) * contrast) middle++;
  }
  const { shapes } = findShapes({ pixels, width: greys.width, height: greys.height }, leastShape * ink);
  const [main] = shapes;
  if (!main || main.pixels < leastMain * ink || shapes.length > mostShapes) return false;
  return ink < mostInk * greys.values.length && middle < mostMiddle * ink;
}

/** The distance from the ground that 1 in 200 pixels exceeds. */
function largestContrast({ values }: Greys, level: number): number {
  const counts = new Uint32Array(256);
  for (const value of values) counts[Math.round(Math.abs(value - level))]!++;
  let distance = 255;
  for (let seen = counts[255]!; seen <= values.length / 200 && distance > 0; seen += counts[distance]!)
    distance--;
  return distance;
}
