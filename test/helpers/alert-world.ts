import { DEFAULT_CHECK } from '../../controller/config/check-section.ts';
import { DEFAULT_RETENTION } from '../../controller/config/retention-section.ts';
import { plainServer } from '../../controller/config/servers-section.ts';
import type { AlertSettings, Settings } from '../../controller/config/settings.ts';

const named = (what: string, count: number): string[] =>
  Array.from({ length: count }, (_, index) => `${what}-${index}`);

/** Settings in which all checks are on, and the receiver `noc` is told of the alerts. */
export const alertWorld = ({
  organizations = 1,
  servers = 3,
  alerts,
}: {
  organizations?: number;
  servers?: number;
  alerts: AlertSettings[];
}): Settings => ({
  broker: { kind: 'embedded', host: '127.0.0.1', port: 0, tls: null },
  http: { host: '127.0.0.1', port: 0, token: 'http-token' },
  store: 'nowhere',
  influx: null,
  retention: DEFAULT_RETENTION,
  servers: new Map(named('server', servers).map((name, index) => [name, plainServer(name, '127.0.0.1', 5201 + index)])),
  host_groups: new Map(),
  uplink_groups: new Map(),
  organizations: new Map(
    named('organization', organizations).map((organization) => [
      organization,
      { organization, servers: named('server', servers), check: { ...DEFAULT_CHECK, enabled: true }, tags: [] },
    ]),
  ),
  alerts,
  ssh_credentials: new Map(),
  receivers: new Map([['noc', { kind: 'webhook', url: 'http://127.0.0.1:9', secret: null, ca: null }]]),
});
