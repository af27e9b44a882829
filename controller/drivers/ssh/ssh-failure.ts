/**
 * Why a device could not be reached, as the word in front of the reason with which a `prepare` is declined:
 * - `device-unreachable`: no connection, or it was lost; worth another try later
 * - `ssh-auth-failed`: it does not take our credentials, or they cannot be used
 * - `host-key-changed`: it, or its jump host, has not shown the key that was pinned; nothing was sent to it
 * - `ssh-failed`: we are in, but its shell does not do what we need (a full disk, say)
 */
export type SshFailureCode = 'device-unreachable' | 'ssh-auth-failed' | 'host-key-changed' | 'ssh-failed';

/** The message begins with the code, is fit for a log and for people, and holds no secret. */
export class SshFailure extends Error {
  readonly code: SshFailureCode;

  constructor(code: SshFailureCode, message: string, options?: ErrorOptions) {
    super(`${code}: ${message}`, options);
    this.name = 'SshFailure';
    this.code = code;
  }
}
