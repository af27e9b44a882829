import { BUSY, CLOSED, INTERRUPTED, measured, REFUSED } from './iperf3-output.ts';
import type { Iperf3Server } from './iperf3-server.ts';
import type { Random } from './random.ts';
import type { Timeline } from './timeline.ts';

export interface ClientOptions {
  timeline: Timeline;
  random: Random;
  server: Iperf3Server;
  duration_s: number;
  omit_s: number;
  is_download: boolean;
  /** Share of the clients whose first packets are lost: they begin their test seconds after they were launched. */
  syn_loss: number;
  /** Share of the tests in the middle of which the link dies: the client hangs until it is killed. */
  link_loss: number;
  /** Called once, when the process is gone. */
  onExit: (stdout: string) => void;
}

/** An iperf3 client process, from its launch to its end. It knows nothing of leases. */
export class Iperf3Client {
  /** What a test takes without its grace. */
  readonly length_ms: number;
  readonly server: Iperf3Server;
  readonly #options: ClientOptions;
  #cancel: () => void;
  #link_is_dead = false;
  #gone = false;

  /** Launched at once; tries to connect. */
  constructor(options: ClientOptions) {
    this.#options = options;
    this.server = options.server;
    this.length_ms = 1000 * (options.duration_s + options.omit_s);
    const { random, syn_loss } = options;
    const connect_ms = random.chance(syn_loss) ? random.between(1000, 25_000) : random.between(1, 30);
    this.#cancel = this.#after(connect_ms, () => this.#connect());
  }

  get isGone(): boolean {
    return this.#gone;
  }

  /** TERM is obeyed at once, or not at all; KILL ends it. */
  signal(name: 'TERM' | 'KILL'): void {
    if (this.#gone || (name === 'TERM' && this.#options.random.chance(0.2))) return;
    this.#cancel();
    if (name === 'KILL') this.#exit('');
    else this.#cancel = this.#after(this.#options.random.between(0, 100), () => this.#exit(INTERRUPTED));
  }

  /** The device lost its power. */
  vanish(): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#cancel();
    this.server.haunt(this, true, this.#options.random.chance(0.7) ? 1 : this.#options.random.next());
    this.#options.onExit('');
  }

  /** The server's end of the connection is gone. */
  connectionLost(): void {
    if (this.#link_is_dead) return;
    this.#cancel();
    this.#cancel = this.#after(1, () => this.#exit(CLOSED));
  }

  #connect(): void {
    const { random, duration_s, is_download, link_loss } = this.#options;
    const answer = this.server.accept(this);
    if (answer === 'busy') this.#cancel = this.#after(10, () => this.#exit(BUSY));
    if (answer === 'refused') this.#cancel = this.#after(5, () => this.#exit(REFUSED));
    if (answer !== 'ok') return;
    if (random.chance(link_loss)) {
      this.#cancel = this.#after(random.between(0, this.length_ms), () => {
        this.#link_is_dead = true;
        this.server.haunt(this, false, random.next());
      });
      return;
    }
    const end_ms = this.length_ms + random.between(0, 500);
    this.#cancel = this.#after(end_ms, () => this.#exit(measured(duration_s, is_download)));
  }

  #exit(stdout: string): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#cancel();
    this.server.leave(this);
    this.#options.onExit(stdout);
  }

  #after(ms: number, action: () => void): () => void {
    return this.#options.timeline.after(ms, action);
  }
}
