import type { Readable } from 'node:stream';

/** Collects at most `limit` bytes of a stream and lets the rest flow by; `onMore` is called when there is more. */
export const collect = (stream: Readable, limit: number, onMore: () => void): (() => string) => {
  const chunks: Buffer[] = [];
  let room = limit;
  stream.on('data', (chunk: Buffer) => {
    // A copy: the chunk is a part of a packet that is much larger.
    if (room > 0) chunks.push(Buffer.from(chunk.subarray(0, room)));
    if (chunk.length > room) onMore();
    room = Math.max(0, room - chunk.length);
  });
  return () => Buffer.concat(chunks).toString('utf8');
};
