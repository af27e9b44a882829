import { createHash } from 'node:crypto';
import type { Log } from '../../broker/log.ts';
import type { ReceiverSettings } from '../config/settings.ts';
import type { Store } from '../store/store.ts';
import type { SubjectStates } from './state.ts';

const whereOf = (settings: ReceiverSettings): unknown[] => {
  switch (settings.kind) {
    case 'email':
      return [settings.host, settings.port, settings.to.toSorted()];
    case 'mqtt':
      return [settings.topic];
    default:
      return [settings.url];
  }
};

/** Where a receiver is reached, whatever it is called and whoever we say we are. A hash: URLs may hold secrets. */
const placeOf = (settings: ReceiverSettings): string =>
  createHash('sha256')
    .update(JSON.stringify([settings.kind, ...whereOf(settings)]))
    .digest('base64url');

/** Old names and new ones: a name that is gone, and one that was not there before, with one place. Each at most once. */
const renamedIn = (known: ReadonlyMap<string, string>, places: ReadonlyMap<string, string>): Map<string, string> => {
  const isNew = new Map([...places].filter(([name]) => !known.has(name)));
  const renamed = new Map<string, string>();
  for (const [old, place] of known) {
    const [name] = (places.has(old) ? undefined : [...isNew].find(([, there]) => there === place)) ?? [];
    if (name === undefined) continue;
    isNew.delete(name);
    renamed.set(old, name);
  }
  return renamed;
};

const withNames = (states: SubjectStates, renamed: ReadonlyMap<string, string>): SubjectStates => {
  const rules = Object.entries(states.rules).map(([rule, entry]) => {
    const told = entry.alert?.told.map((name) => renamed.get(name) ?? name) ?? [];
    return [rule, entry.alert === null ? entry : { ...entry, alert: { ...entry.alert, told: [...new Set(told)] } }];
  });
  return { ...states, rules: Object.fromEntries(rules) };
};

/**
 * Notes the receivers of a configuration that comes into force. One that is reached where another one was that is gone now is that one, under
 * another name: it keeps what waits for it and what was set aside, and is told the end of what it was told. Returns the new names by the old
 * ones. To be called before alerts and deliveries see the configuration.
 */
export const noteReceivers = (
  store: Pick<Store, 'atomically' | 'receivers' | 'notices' | 'alertStates'>,
  receivers: ReadonlyMap<string, ReceiverSettings>,
  log: Log,
): Map<string, string> =>
  store.atomically(() => {
    const places = new Map([...receivers].map(([name, settings]) => [name, placeOf(settings)]));
    const renamed = renamedIn(store.receivers.all(), places);
    store.receivers.replace(places);
    if (renamed.size === 0) return renamed;
    for (const [from, to] of renamed) {
      store.notices.rename(from, to);
      log.info({ receiver: to, before: from }, 'a receiver has another name: what it was told goes on under that');
    }
    for (const { kind, name, states } of store.alertStates.open())
      store.alertStates.put({ kind, name }, withNames(states, renamed));
    return renamed;
  });
