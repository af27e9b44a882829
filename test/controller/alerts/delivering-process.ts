import { systemClock } from '../../../broker/clock.ts';
import { Deliveries } from '../../../controller/alerts/deliveries.ts';
import { Store } from '../../../controller/store/store.ts';

// Delivers what waits in a store to a webhook until it is killed: argv is the folder of the store, and the URL.
const [, , folder = '', url = ''] = process.argv;
const quiet = () => {};
const deliveries = new Deliveries(new Map([['noc', { kind: 'webhook', url, secret: null, ca: null }]]), {
  store: Store.open(folder),
  link: null,
  firing: () => [],
  clock: systemClock,
  random: Math.random,
  log: { debug: quiet, info: quiet, warn: quiet, error: quiet },
});
deliveries.start();
