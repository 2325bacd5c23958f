/** Signing out, wherever it is done: who signs in next begins at the beginning. */

import { navigate } from "wouter-preact/use-hash-location";
import { store } from "../../data/store.ts";
import type { Store } from "../../data/model.ts";

export async function signOut(options: NonNullable<Parameters<Store["signOut"]>[0]> = {}): Promise<void> {
  await store.signOut(options);
  navigate("/", { replace: true });
  scrollTo(0, 0);
}
