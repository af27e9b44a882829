/** So many devices, and so many servers, are remembered: some 5 MB. */
const MOST = 20_000;

/**
 * Subjects that all is well with, so that nothing of them need be read: nearly all of them, nearly always. Whoever writes something of a subject
 * forgets it here first.
 */
export class Well<T> {
  readonly #subjects = new Map<string, T>();
  readonly #most: number;

  constructor(most = MOST) {
    this.#most = most;
  }

  get(name: string): T | undefined {
    return this.#subjects.get(name);
  }

  /** When there are too many, all are looked up anew. */
  set(name: string, known: T): void {
    if (this.#subjects.size >= this.#most) this.#subjects.clear();
    this.#subjects.set(name, known);
  }

  forget(name: string): void {
    this.#subjects.delete(name);
  }
}
