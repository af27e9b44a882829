import { onTestFinished } from 'vitest';
import { Store } from '../../../controller/store/store.ts';
import { tempFolder } from '../../helpers/temp-folder.ts';

/** A store in a new folder, or in the given one, closed after the test. */
export const openStore = (folder = tempFolder()): Store => {
  const store = Store.open(folder);
  onTestFinished(() => store.close());
  return store;
};
