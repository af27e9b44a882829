import type { Inbound } from '../../broker/contract/inbound.ts';
import type { AgentStatus, Command, ControllerStatus, SlotStatus } from '../../broker/contract/messages.ts';
import type { Network } from './network.ts';

/** What a device's connection gets. */
export type Downward =
  | { topic: 'command'; payload: Command }
  | { topic: 'status'; payload: AgentStatus }
  | { topic: 'controller'; payload: ControllerStatus };

/** What a device says. */
export type Upward = Extract<Inbound, { kind: 'status' | 'event' | 'result' }>;

/** What a controller says. */
export type FromController =
  | { kind: 'command'; device: string; payload: Command }
  | { kind: 'slot'; server: string; payload: SlotStatus }
  | { kind: 'controller'; payload: ControllerStatus };

export type DeviceConnection = (message: Downward) => void;
export type ControllerConnection = (message: Inbound, retained: boolean) => void;

/**
 * The MQTT broker: remembers what is retained, and hands everything on. All subscribers see the messages of controllers in one order; what
 * goes to devices takes the bad network.
 */
export class Broker {
  readonly #down: Network;
  readonly #statuses = new Map<string, AgentStatus>();
  readonly #slots = new Map<string, SlotStatus>();
  #controller: ControllerStatus | null = null;
  readonly #devices = new Map<string, Set<DeviceConnection>>();
  readonly #controllers = new Set<ControllerConnection>();
  readonly #onSlot: (server: string, slot: SlotStatus | null) => void;

  /** `onSlot` is told what is retained of a server from now on. */
  constructor(down: Network, onSlot: (server: string, slot: SlotStatus | null) => void) {
    this.#down = down;
    this.#onSlot = onSlot;
  }

  /** What an earlier controller, or an earlier life of the broker, left behind. */
  remember(server: string, slot: SlotStatus): void {
    this.#slots.set(server, slot);
    this.#onSlot(server, slot);
  }

  rememberStatus(device: string, status: AgentStatus): void {
    this.#statuses.set(device, status);
  }

  attachDevice(device: string, connection: DeviceConnection): void {
    const connections = this.#devices.get(device) ?? new Set();
    this.#devices.set(device, connections.add(connection));
    const status = this.#statuses.get(device);
    if (status !== undefined) this.#down.carry(() => connection({ topic: 'status', payload: status }));
    const controller = this.#controller;
    if (controller !== null) this.#down.carry(() => connection({ topic: 'controller', payload: controller }));
  }

  detachDevice(device: string, connection: DeviceConnection): void {
    this.#devices.get(device)?.delete(connection);
  }

  /** A subscriber gets what is retained first. */
  attachController(connection: ControllerConnection): void {
    this.#controllers.add(connection);
    for (const [device, payload] of this.#statuses) connection({ kind: 'status', device, payload }, true);
    for (const [server, payload] of this.#slots) connection({ kind: 'slot', server, payload }, true);
    if (this.#controller !== null) connection({ kind: 'controller', payload: this.#controller }, true);
  }

  detachController(connection: ControllerConnection): void {
    this.#controllers.delete(connection);
  }

  /** A device's message has arrived, or the broker publishes its last will. */
  hearDevice(message: Upward): void {
    if (message.kind === 'status') {
      const { device, payload } = message;
      this.#statuses.set(device, payload);
      this.#toDevice(device, { topic: 'status', payload });
    }
    for (const connection of this.#controllers) connection(message, false);
  }

  hearController(message: FromController): void {
    if (message.kind === 'command') {
      this.#toDevice(message.device, { topic: 'command', payload: message.payload });
      return;
    }
    if (message.kind === 'slot') {
      const isFree = message.payload.token === null;
      if (isFree) this.#slots.delete(message.server);
      else this.#slots.set(message.server, message.payload);
      this.#onSlot(message.server, isFree ? null : message.payload);
    } else {
      this.#controller = message.payload;
      for (const device of this.#devices.keys())
        this.#toDevice(device, { topic: 'controller', payload: message.payload });
    }
    for (const connection of this.#controllers) connection(message, false);
  }

  #toDevice(device: string, message: Downward): void {
    for (const connection of this.#devices.get(device) ?? []) this.#down.carry(() => connection(message));
  }
}
