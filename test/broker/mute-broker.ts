import net from 'node:net';
import { onTestFinished } from 'vitest';

/** A far side that answers CONNECT, if `answers`, and then nothing; `packets` are the types of what it got. */
export const startMute = async (answers: boolean, onPacket: (type: number, socket: net.Socket) => void = () => {}) => {
  const packets: number[] = [];
  const server = net.createServer((socket) => {
    onTestFinished(() => {
      socket.destroy();
    });
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      const type = (chunk[0] ?? 0) >> 4;
      packets.push(type);
      if (type === 1 && answers) socket.write(Buffer.from([0x20, 2, 0, 0]));
      onPacket(type, socket);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
  });
  return { port: (server.address() as net.AddressInfo).port, packets };
};
