import type { Action, AgentIdentity, StoredResult } from '../../agent/core/io.ts';
import type { AgentEvent, AgentStatus } from '../../broker/contract/messages.ts';
import { eventTopic, resultTopic, statusTopic } from '../../broker/contract/topics.ts';

/** An event without who says it. */
type Said =
  | { type: 'ready'; run: string; nonce: string }
  | { type: 'declined'; run: string; token: number | null; nonce: string | null; reason: string }
  | { type: 'started'; run: string; token: number; nonce: string }
  | { type: 'finished'; run: string; token: number };

/** What the written agent says, and what else it wants done; collected until somebody takes it. */
export class WrittenVoice {
  readonly #identity: AgentIdentity;
  #out: Action[] = [];

  constructor(identity: AgentIdentity) {
    this.#identity = identity;
  }

  take(): Action[] {
    const out = this.#out;
    this.#out = [];
    return out;
  }

  act(...actions: Action[]): void {
    this.#out.push(...actions);
  }

  say(said: Said): void {
    const { device, boot } = this.#identity;
    const payload: AgentEvent = { ...said, boot };
    this.act({ kind: 'publish', what: 'event', topic: eventTopic(device), payload });
  }

  finished({ run, token, tests }: StoredResult): void {
    const { device, boot } = this.#identity;
    this.say({ type: 'finished', run, token });
    const payload = { run, token, boot, tests };
    this.act({ kind: 'publish', what: 'result', topic: resultTopic(device, run), payload });
  }

  /** What it says about itself; with `online` false it is also the last will. */
  statusOf(online: boolean, pending: number): AgentStatus {
    const { boot, agent, host, iperf3 } = this.#identity;
    return { online, boot, agent, host, iperf3, capabilities: ['tcp', 'udp', 'bidir'], pending };
  }

  status(online: boolean, pending: number): void {
    const topic = statusTopic(this.#identity.device);
    this.act({ kind: 'publish', what: 'status', topic, payload: this.statusOf(online, pending) });
  }
}
