import { onTestFinished } from 'vitest';
import { Store } from '../../../controller/store/store.ts';
import { tempFolder } from '../../helpers/temp-folder.ts';
import { HeldDisk } from './held-disk.ts';

/** A store in a new folder, or in the given one, closed after the test. */
export const openStore = (folder = tempFolder()): Store => {
  const store = Store.open(folder);
  onTestFinished(() => store.close());
  return store;
};

/** A store that waits for the disk beside the event loop only as long as a test likes. */
export const openWithHeldDisk = (): { store: Store; disk: HeldDisk } => {
  const disk = new HeldDisk();
  const store = Store.open(tempFolder(), disk);
  onTestFinished(() => {
    disk.letGo();
    store.close();
  });
  return { store, disk };
};
