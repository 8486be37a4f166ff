/**
 * Replaces an object of which a test needs only a few members. Any other member fails the test with its name.
 *
 * @param name the name of the object in the failure.
 */
export function standIn<T extends object>(name: string, members: Partial<T>): T {
  return new Proxy(members as T, {
    get: (target, key, receiver): unknown => {
      if (key in target) return Reflect.get(target, key, receiver);
      // Promises and test reports read these members.
      if (typeof key === 'symbol' || key === 'then' || key === 'toJSON') return undefined;
      throw new Error(`${name}.${key} is no part of this test`);
    },
  });
}

/** A promise that a test settles when it wants to. */
export interface Deferred<T> {
  readonly promise: Promise<T>;
  resolve(value: T): void;
  reject(error: Error): void;
}

export function deferred<T = void>(): Deferred<T> {
  let resolve!: (value: T) => void;
  let reject!: (error: Error) => void;
  const promise = new Promise<T>((onValue, onError) => {
    resolve = onValue;
    reject = onError;
  });
  return { promise, resolve, reject };
}
