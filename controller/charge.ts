import type { MqttLink } from '../broker/client.ts';
import type { Clock } from '../broker/clock.ts';
import type { ControllerStatus } from '../broker/contract/messages.ts';
import { controllerTopic } from '../broker/contract/topics.ts';
import { type Claim, type ClaimVerdict, claimWake, hearClaim, newClaim, tickClaim } from './claim.ts';

export interface ChargeOptions {
  link: MqttLink;
  clock: Clock;
  own: ControllerStatus;
  /** In charge (again), or not any more. */
  onChange: (in_charge: boolean) => void;
  /** Another controller is alive on this broker. */
  onYield: (boot: string) => void;
}

/** Keeps the claim to the broker alive over the connection; claim.ts decides. */
export class Charge {
  readonly #options: ChargeOptions;
  #claim: Claim = newClaim();
  #cancel = () => {};
  #yielded = false;

  constructor(options: ChargeOptions) {
    this.#options = options;
    options.link.onConnect(() => this.#publish());
    options.link.onDisconnect(() => {
      this.#cancel();
      this.#claim = newClaim();
      options.onChange(false);
    });
  }

  get in_charge(): boolean {
    return this.#claim.in_charge;
  }

  /** Whether this controller gave way to another: then its last word on the topic is not to be overwritten. */
  get yielded(): boolean {
    return this.#yielded;
  }

  hear(status: ControllerStatus, retained: boolean): void {
    const { own, clock } = this.#options;
    this.#act(hearClaim(this.#claim, own.boot, status, retained, clock.now()));
  }

  stop(): void {
    this.#cancel();
  }

  #act(verdict: ClaimVerdict): void {
    if (verdict.verdict === 'repeat' || verdict.verdict === 'in-charge') this.#publish();
    if (verdict.verdict === 'in-charge') this.#options.onChange(true);
    if (verdict.verdict === 'yield') {
      this.#yielded = true;
      this.#cancel();
      this.#options.onYield(verdict.to);
      return;
    }
    this.#rearm();
  }

  #rearm(): void {
    this.#cancel();
    const { clock } = this.#options;
    const wake = claimWake(this.#claim);
    if (wake === Number.POSITIVE_INFINITY) return;
    this.#cancel = clock.after(wake - clock.now(), () => this.#act(tickClaim(this.#claim, clock.now())));
  }

  /** A claim that can't be sent now is made at the next connect. */
  #publish(): void {
    const { link, own } = this.#options;
    link.publish(controllerTopic(), { ...own, in_charge: this.#claim.in_charge }, { retain: true }).catch(() => {});
  }
}
