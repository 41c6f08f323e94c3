/** MNIST digits as files, and parts of files. */
import { crc32, deflateSync } from 'node:zlib';
import sharp, { type Sharp } from 'sharp';
import { imageSide } from '../../../src/model/data/dataset.ts';

/** Length, type, data, checksum. */
export function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
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

/** A whole PNG of white pixels of one bit; the width is a multiple of 8. */
export function whitePng(width: number, height = width): Buffer {
  const header = Buffer.alloc(13); // width, height, bit depth 1, colour type 0 (grey), no filter choice, no interlace
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header[8] = 1;
  const stride = 1 + width / 8;
  const rows = Buffer.alloc(height * stride, 0xff);
  for (let y = 0; y < height; y++) rows[y * stride] = 0; // filter: none
  const signature = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');
  const data = deflateSync(rows, { level: 1 });
  return Buffer.concat([
    signature,
    chunk('IHDR', header),
    chunk('IDAT', data),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}
