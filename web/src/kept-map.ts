/** A small map of texts by room in the browser's local storage, shared by its tabs and there after a reload. */

export interface KeptMap {
  get(key: string): string | undefined;
  /** An empty text takes the key away. */
  set(key: string, value: string): void;
}

export function createKeptMap(name: string, storage: Storage = localStorage): KeptMap {
  let read: string | null = null;
  let map = new Map<string, string>();
  // Another tab may have written meanwhile.
  const load = () => {
    const text = storage.getItem(name);
    if (text !== read) map = parse(text);
    read = text;
    return map;
  };
  return {
    get: (key) => load().get(key),
    set: (key, value) => {
      load();
      if (value === "") map.delete(key);
      else map.set(key, value);
      read = JSON.stringify([...map]);
      storage.setItem(name, read);
    },
  };
}

function parse(text: string | null): Map<string, string> {
  try {
    return new Map(JSON.parse(text ?? "[]") as [string, string][]);
  } catch (error) {
    console.warn("What was kept could not be read.", error);
    return new Map();
  }
}
