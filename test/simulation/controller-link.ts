import type { Inbound } from '../../broker/contract/inbound.ts';
import type { ControllerStatus } from '../../broker/contract/messages.ts';
import type { Broker, FromController } from './broker.ts';
import type { Random } from './random.ts';
import type { Timeline } from './timeline.ts';

/** A message between a controller and the broker takes this long at most: one is not far from the other. */
export const LINK_DELAY_MS = 20;

/** The broker notices a silent connection after one and a half keepalives at the latest. */
const NOTICED_MS = 90_000;

export interface LinkOptions {
  timeline: Timeline;
  random: Random;
  broker: Broker;
  will: ControllerStatus;
  onMessage: (message: Inbound, retained: boolean) => void;
  onConnect: () => void;
  onDisconnect: () => void;
}

/** A controller's connection to the broker: TCP, so in order and whole, as long as it lasts. Nothing is kept for the next one. */
export class ControllerLink {
  readonly #options: LinkOptions;
  /** The connection that lasts; null when there is none, or nobody knows yet that it is dead. */
  #connection: {
    alive: boolean;
    up_at: number;
    down_at: number;
    receive: (message: Inbound, retained: boolean) => void;
  } | null = null;
  #closed = false;

  constructor(options: LinkOptions) {
    this.#options = options;
  }

  get isConnected(): boolean {
    return this.#connection !== null;
  }

  connect(): void {
    if (this.#connection !== null || this.#closed) return;
    const { timeline, broker, onMessage, onConnect } = this.#options;
    const connection = {
      alive: true,
      up_at: timeline.now,
      down_at: timeline.now,
      receive: (message: Inbound, retained: boolean) => {
        connection.down_at = this.#arrival(connection.down_at);
        timeline.after(connection.down_at - timeline.now, () => {
          if (connection.alive && this.#connection === connection) onMessage(message, retained);
        });
      },
    };
    this.#connection = connection;
    broker.attachController(connection.receive);
    onConnect();
  }

  send(message: FromController): void {
    const connection = this.#connection;
    if (connection === null) return;
    const { timeline, broker } = this.#options;
    connection.up_at = this.#arrival(connection.up_at);
    timeline.after(connection.up_at - timeline.now, () => {
      if (connection.alive) broker.hearController(message);
    });
  }

  /** The process is gone, with a goodbye, or `quietly`: without a word, and without a will. What it had sent may still be under way. */
  close(goodbye: ControllerStatus | null, quietly: boolean): void {
    this.#closed = true;
    const connection = this.#connection;
    this.#connection = null;
    if (connection === null) return;
    const { timeline, broker, random, will } = this.#options;
    broker.detachController(connection.receive);
    if (goodbye !== null) broker.hearController({ kind: 'controller', payload: goodbye });
    const isCut = random.chance(0.5);
    if (isCut) connection.alive = false;
    if (goodbye === null && !quietly) {
      const noticed = random.chance(0.5) ? random.between(20, 200) : random.between(0, NOTICED_MS);
      timeline.after(noticed, () => broker.hearController({ kind: 'controller', payload: will }));
    }
  }

  /** Nothing passes any more. The controller and the broker notice in their own time; the controller then connects again. */
  breakDown(): void {
    const connection = this.#connection;
    if (connection === null || !connection.alive) return;
    const { timeline, broker, random, will, onDisconnect } = this.#options;
    connection.alive = false;
    broker.detachController(connection.receive);
    const notices = random.chance(0.5) ? random.between(0, 1000) : random.between(0, NOTICED_MS);
    timeline.after(random.between(0, NOTICED_MS), () => broker.hearController({ kind: 'controller', payload: will }));
    timeline.after(notices, () => {
      if (this.#connection !== connection) return;
      this.#connection = null;
      onDisconnect();
      timeline.after(random.between(0, 20_000), () => this.connect());
    });
  }

  #arrival(last: number): number {
    const { timeline, random } = this.#options;
    return Math.max(last, timeline.now + random.between(0, LINK_DELAY_MS));
  }
}
