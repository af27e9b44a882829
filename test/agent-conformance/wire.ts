import net, { type AddressInfo, type Socket } from 'node:net';
import { type Packet, PacketReader } from './mqtt-packets.ts';

/** One TCP connection of the agent, and what it has said on it so far. */
export interface WireConnection {
  packets: Packet[];
  /** What it said is not MQTT. */
  garbled: boolean;
}

/** The wire between the agent and its broker: it can be listened to, and cut. */
export class Wire {
  readonly connections: WireConnection[] = [];
  readonly #target: number;
  readonly #sockets = new Set<Socket>();
  readonly #server = net.createServer((near) => this.#join(near));

  #broken = false;

  private constructor(target: number) {
    this.#target = target;
  }

  /** A wire to a TCP port of loopback. */
  static async start(target: number): Promise<Wire> {
    const wire = new Wire(target);
    await new Promise<void>((resolve, reject) => wire.#server.once('error', reject).listen(0, '127.0.0.1', resolve));
    return wire;
  }

  get url(): string {
    return `mqtt://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** All packets of one kind, of all connections. */
  packets<K extends Packet['kind']>(kind: K): Extract<Packet, { kind: K }>[] {
    const isMeant = (packet: Packet): packet is Extract<Packet, { kind: K }> => packet.kind === kind;
    return this.connections.flatMap(({ packets }) => packets.filter(isMeant));
  }

  /** Ends all connections, and new ones at once, until `mend()`. */
  break(): void {
    this.#broken = true;
    this.cut();
  }

  mend(): void {
    this.#broken = false;
  }

  /** Ends all connections without a goodbye. New ones come through. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.cut();
    await closed;
  }

  #join(near: Socket): void {
    if (this.#broken) {
      near.destroy();
      return;
    }
    const far = net.connect(this.#target, '127.0.0.1');
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(one);
      one.on('error', () => {});
      one.once('close', () => {
        this.#sockets.delete(one);
        other.destroy();
      });
      one.pipe(other);
    }
    this.#listen(near);
  }

  #listen(near: Socket): void {
    const connection: WireConnection = { packets: [], garbled: false };
    const reader = new PacketReader();
    this.connections.push(connection);
    near.on('data', (piece) => {
      try {
        if (!connection.garbled) connection.packets.push(...reader.read(Buffer.from(piece)));
      } catch {
        connection.garbled = true;
      }
    });
  }
}
