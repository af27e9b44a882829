import { refusal } from '../api/refusal.ts';
import type { ServerCheck, ServerView } from '../api/server-views.ts';
import type { Answer, ServerService } from '../api/service.ts';
import type { Settings } from '../config/settings.ts';
import type { Checks } from '../runs/checks.ts';
import type { Dispatcher } from '../runs/dispatcher.ts';
import type { Slots } from '../slots/slots.ts';
import { serverCheck } from './server-check.ts';
import { unknownServer } from './unknown.ts';

export interface ServerDeskOptions {
  settings: () => Settings;
  slots: Pick<Slots, 'view' | 'queued'>;
  checks: Pick<Checks, 'ask'>;
  dispatcher: Pick<Dispatcher, 'handle'>;
}

/** Servers as the HTTP API offers them. */
export class ServerDesk implements ServerService {
  readonly #options: ServerDeskOptions;

  constructor(options: ServerDeskOptions) {
    this.#options = options;
  }

  list(): ServerView[] {
    const { settings, slots } = this.#options;
    const views = new Map(slots.view().map((view) => [view.server, view]));
    return [...settings().servers.values()].map(({ server, host, port, host_group }) => {
      const { device = null, run = null, state = 'idle' } = views.get(server) ?? {};
      return { server, host, port, host_group, device, run, queued: slots.queued(server), state };
    });
  }

  /** Whether a server answers. The slots say whether it may be probed; nobody starts there meanwhile. */
  async check(server: string): Promise<Answer<ServerCheck>> {
    const { settings, checks, dispatcher } = this.#options;
    const target = settings().servers.get(server);
    if (target === undefined) return unknownServer(server, settings());
    const checked = await checks.ask(server, (event) => dispatcher.handle(event));
    if (checked === null) return refusal('unavailable', 'the controller is stopping');
    return { ok: true, value: serverCheck(target, checked) };
  }
}
