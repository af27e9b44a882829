import type { ControllerStatus } from '../../broker/contract/messages.ts';
import { type Claim, type ClaimVerdict, claimWake, hearClaim, newClaim, tickClaim } from '../../controller/claim.ts';
import type { PromiseName } from './promises.ts';

export interface ClaimOptions {
  boot: string;
  now: () => number;
  after: (ms: number, action: () => void) => () => void;
  publish: (in_charge: boolean) => void;
  onChange: (in_charge: boolean) => void;
  onYield: () => void;
  broken: PromiseName | null;
}

/** Keeps a claim to the broker as controller/charge.ts does, around the decisions of controller/claim.ts. */
export class ClaimKeeper {
  readonly #options: ClaimOptions;
  #claim: Claim = newClaim();
  #cancel = () => {};

  constructor(options: ClaimOptions) {
    this.#options = options;
  }

  get isInCharge(): boolean {
    return this.#claim.in_charge;
  }

  connected(): void {
    this.#options.publish(this.#claim.in_charge);
  }

  disconnected(): void {
    this.#cancel();
    if (this.#options.broken === 'unreachable-is-not-in-charge' && this.#claim.in_charge) return;
    this.#claim = newClaim();
    this.#options.onChange(false);
  }

  hear(status: ControllerStatus, retained: boolean): void {
    const { boot, now } = this.#options;
    this.#act(hearClaim(this.#claim, boot, status, retained, now()));
  }

  stop(): void {
    this.#cancel();
  }

  #act(verdict: ClaimVerdict): void {
    const { broken, publish, onChange, onYield } = this.#options;
    const isSaid = verdict.verdict === 'repeat' || verdict.verdict === 'in-charge';
    if (isSaid && broken !== 'claim-is-repeated') publish(this.#claim.in_charge);
    if (verdict.verdict === 'in-charge') onChange(true);
    if (verdict.verdict === 'yield' && broken !== 'claim-is-obeyed') {
      this.#cancel();
      onYield();
      return;
    }
    this.#rearm();
  }

  #rearm(): void {
    this.#cancel();
    const { now, after, broken } = this.#options;
    const wake = broken === 'claim-waits' && this.#claim.echoed_at !== null ? now() : claimWake(this.#claim);
    if (wake === Number.POSITIVE_INFINITY || this.#claim.in_charge) return;
    const ahead = broken === 'claim-waits' ? 1e6 : 0;
    this.#cancel = after(wake - now(), () => this.#act(tickClaim(this.#claim, now() + ahead)));
  }
}
