/** The one store of the page. */

import type { Store } from "./model.ts";

export declare const store: Store;
