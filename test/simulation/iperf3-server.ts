import { QUARANTINE_S } from '../../broker/contract/numbers.ts';
import type { Iperf3Client } from './iperf3-client.ts';
import type { Timeline } from './timeline.ts';

/** `silent`: takes connections and never says a word. `dead`: refuses them. */
export type Mood = 'well' | 'silent' | 'dead';

/** What a server answers to a client that connects. */
export type Answer = 'ok' | 'busy' | 'silent' | 'refused';

/**
 * One iperf3 server. It serves one client at a time, ours or somebody else's. When a client vanishes without a goodbye (its device lost
 * its power, its link died), the session stays as a ghost, and everybody is told "busy" until iperf3's own timeout.
 */
export class Iperf3Server {
  readonly name: string;
  mood: Mood = 'well';
  /** Started with `-1` by something that starts it again: it refuses for this long after each test. */
  restart_ms = 0;
  /** Ghosts live this many times longer than iperf3 says; only a broken world has more than 1. */
  ghost_factor = 1;
  readonly #timeline: Timeline;
  #session: Iperf3Client | null = null;
  #outsider_until = 0;
  #down_until = 0;
  #ghost_until = 0;
  #promised_until = 0;

  constructor(name: string, timeline: Timeline) {
    this.name = name;
    this.#timeline = timeline;
  }

  /** Whether a session that a power cut left behind is still there: the quarantine promises that nobody is sent into it. */
  get isHaunted(): boolean {
    return this.#promised_until > this.#timeline.now;
  }

  /** Whether it would serve a client now. */
  get isFree(): boolean {
    return this.#answer() === 'ok';
  }

  accept(client: Iperf3Client): Answer {
    const answer = this.#answer();
    if (answer === 'ok') this.#session = client;
    return answer;
  }

  /** The probe uses the same door, and leaves at once. */
  probe(): 'free' | 'busy' | 'silent' {
    const answer = this.#answer();
    return answer === 'ok' ? 'free' : answer === 'busy' ? 'busy' : 'silent';
  }

  /** Somebody outside of perfleet measures, if nobody else does. */
  outsider(length_ms: number): void {
    if (this.isFree) this.#outsider_until = this.#timeline.now + length_ms;
  }

  /** The server's process is gone, and its sessions with it. */
  die(): void {
    this.mood = 'dead';
    this.#session?.connectionLost();
    this.#session = null;
    this.#outsider_until = 0;
    this.#ghost_until = 0;
    this.#promised_until = 0;
  }

  /** The client closed its connection. */
  leave(client: Iperf3Client): void {
    if (this.#session !== client) return;
    this.#session = null;
    this.#down_until = this.#timeline.now + this.restart_ms;
  }

  /**
   * The client is gone, and the server does not know. `promised`: perfleet knows that this can have happened, and lets the server rest. It
   * does not when only the link died: then the agent itself ends iperf3, and reports it.
   */
  haunt(client: Iperf3Client, promised: boolean, share: number): void {
    if (this.#session !== client) return;
    this.#session = null;
    const length_ms = share * this.ghost_factor * (client.length_ms + 1000 * QUARANTINE_S);
    this.#ghost_until = this.#timeline.now + length_ms;
    if (promised) this.#promised_until = this.#ghost_until;
  }

  #answer(): Answer {
    const { now } = this.#timeline;
    if (this.mood === 'dead' || now < this.#down_until) return 'refused';
    if (this.mood === 'silent') return 'silent';
    return this.#session !== null || now < this.#outsider_until || now < this.#ghost_until ? 'busy' : 'ok';
  }
}
