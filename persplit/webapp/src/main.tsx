/** The page's start. */

import { effect } from "@preact/signals";
import { render } from "preact";
import { App } from "./app.tsx";
import { store } from "./data/store.ts";
import { addressOf, inviteOfLink } from "./screens/groups/invite_links.ts";
import { forgetInvites } from "./screens/groups/own_invite.ts";
import { registerWorker } from "./sw/register.ts";
import { speakAsBefore } from "./text/index.ts";
import { keepFocus } from "./ui/focus.ts";
import "./ui/styles.css";
import "./ui/account.css";
import "./ui/groups.css";
import "./ui/expense.css";
import "./ui/rows.css";
import "./ui/balance_bars.css";
import "./ui/settle.css";
import "./ui/insight.css";
import "./ui/loans.css";

/** An invite's link opens the page: from there on its address is the router's. */
function takeInvite(): void {
  const invite = inviteOfLink(location.pathname, location.search);
  if (invite) history.replaceState(null, "", `/#${addressOf(invite)}`);
}

// In whichever tab they have signed out.
effect(() => {
  if (store.me.value === null) forgetInvites();
});
takeInvite();
await speakAsBefore();
keepFocus();
const root = document.getElementById("app");
if (root) render(<App />, root);
void registerWorker();
