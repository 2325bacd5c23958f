/** The one store of the page. */

import type { Store } from "./model.ts";
import { PageStore } from "./page_store.ts";
import { browserPlatform } from "./platform.ts";

const opened = new PageStore(browserPlatform());
void opened.start();

export const store: Store = opened;
