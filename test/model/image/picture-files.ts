/** MNIST digits as files, and parts of files. */
import { crc32 } from 'node:zlib';
import sharp, { type Sharp } from 'sharp';
import { imageSide } from '../../../src/model/data/dataset.ts';

/** Length, type, data, checksum. */
export function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type), data]);
  const framed = Buffer.alloc(body.length + 8);
  framed.writeUInt32BE(data.length);
  body.copy(framed, 4);
  framed.writeUInt32BE(crc32(body), body.length + 4);
  return framed;
}

export function raw(values: Uint8Array | Uint16Array, channels: 1 | 2 | 3 | 4): Sharp {
  return sharp(values, { raw: { width: imageSide, height: imageSide, channels } });
}

export function grey(pixels: Uint8Array): Sharp {
  return raw(pixels, 1).toColourspace('b-w');
}

export function large(pixels: Uint8Array): Sharp {
  return grey(pixels).resize(280, 280, { kernel: 'cubic' });
}
