/** The page's start. */

import { render } from "preact";
import { App } from "./app.tsx";
import { registerWorker } from "./sw/register.ts";
import { speakAsBefore } from "./text/index.ts";
import "./ui/styles.css";
import "./ui/expense.css";

const INVITE_PATH = /^\/i\/([^/]+)$/u;

/** An invite's link opens the page: from there on its address is the router's. */
function takeInvite(): void {
  const code = INVITE_PATH.exec(location.pathname)?.[1];
  if (code !== undefined) history.replaceState(null, "", `/#/join/${code}`);
}

takeInvite();
await speakAsBefore();
const root = document.getElementById("app");
if (root) render(<App />, root);
void registerWorker();
