import type { Clock } from '../../broker/clock.ts';
import type { Problem } from '../api/problem.ts';
import { refusal } from '../api/refusal.ts';
import type { Answer, SuppressionService } from '../api/service.ts';
import type { SuppressionOrder, WhatToResume } from '../api/suppression-orders.ts';
import type { Resumed, Suppressed, SuppressionView } from '../api/suppression-views.ts';
import type { Settings } from '../config/settings.ts';
import type { Suppressing } from '../runs/suppressing.ts';
import { type Suppression, type SuppressionScope, sameScope, scopeWords } from '../schedule/suppression.ts';
import type { Store } from '../store/store.ts';
import { unknownDevice } from './unknown.ts';

export interface KillSwitchOptions {
  settings: () => Settings;
  store: Pick<Store, 'devices'>;
  suppressing: Suppressing;
  clock: Pick<Clock, 'wall'>;
}

const viewOf = ({ what, until_ms, reason, since_ms }: Suppression): SuppressionView => ({
  scope: what.scope,
  name: what.scope === 'fleet' ? null : what.name,
  until: until_ms === null ? null : new Date(until_ms).toISOString(),
  reason,
  since: new Date(since_ms).toISOString(),
});

/** Suppressions as the HTTP API offers them: what they name must exist. */
export class KillSwitch implements SuppressionService {
  readonly #options: KillSwitchOptions;

  constructor(options: KillSwitchOptions) {
    this.#options = options;
  }

  list(): SuppressionView[] {
    return this.#options.suppressing.active().map(viewOf);
  }

  /** One of the same scope is replaced. */
  suppress({ what, until_ms, reason, stop_running }: SuppressionOrder): Answer<Suppressed> {
    const { suppressing, clock } = this.#options;
    const unknown = this.#unknown(what);
    if (unknown !== null) return unknown;
    const suppression = { what, until_ms, reason, since_ms: clock.wall() };
    suppressing.suppress(suppression);
    const stopped = stop_running ? suppressing.stopRunning(what) : 0;
    return { ok: true, value: { suppression: viewOf(suppression), stopped, warnings: this.#warnings(what) } };
  }

  resume(which: WhatToResume): Answer<Resumed> {
    const { suppressing } = this.#options;
    const active = suppressing.active();
    const lifted = which.all ? active : active.filter(({ what }) => sameScope(what, which.what));
    if (lifted.length === 0 && !which.all) {
      const others = active.map(({ what }) => scopeWords(what)).join(', ') || 'nothing';
      return refusal('not-found', `${scopeWords(which.what)} is not suppressed; suppressed: ${others}`);
    }
    for (const { what } of lifted) suppressing.lift(what);
    return { ok: true, value: { resumed: lifted.map(viewOf) } };
  }

  #unknown(what: SuppressionScope): { ok: false; problem: Problem } | null {
    const { settings, store } = this.#options;
    const missing = (kind: string, name: string, known: Iterable<string>) =>
      refusal('not-found', `${kind} ${name} is not in the configuration; known: ${[...known].join(', ') || 'none'}`);
    if (what.scope === 'organization' && !settings().organizations.has(what.name)) {
      return missing(what.scope, what.name, settings().organizations.keys());
    }
    if (what.scope === 'server' && !settings().servers.has(what.name)) {
      return missing(what.scope, what.name, settings().servers.keys());
    }
    if (what.scope === 'device' && store.devices.get(what.name) === null) {
      return unknownDevice(what.name);
    }
    return null;
  }

  /** A tag can be suppressed before a device has it. */
  #warnings(what: SuppressionScope): string[] {
    if (what.scope !== 'tag' || this.#options.store.devices.list({ tag: what.name }).length > 0) return [];
    return [`no device has the tag ${what.name}`];
  }
}
