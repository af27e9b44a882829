import type { Readable } from 'node:stream';

/** Collects at most `limit` bytes of a stream and lets the rest flow by; the returned function gives the text so far. */
export const capture = (stream: Readable, limit: number): (() => string) => {
  const chunks: Buffer[] = [];
  let room = limit;
  stream.on('data', (chunk: Buffer) => {
    const part = chunk.subarray(0, room);
    room -= part.length;
    if (part.length > 0) chunks.push(part);
  });
  return () => Buffer.concat(chunks).toString('utf8');
};
