import type { Authenticate } from '../broker/admission.ts';
import { hashPassword, verifyPassword } from './store/password.ts';
import type { Store } from './store/store.ts';

/** The controller's own name on the broker; no device may have it. */
export const CONTROLLER_USER = 'perfleet-controller';
