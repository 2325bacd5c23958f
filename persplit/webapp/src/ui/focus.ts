/** What has the focus may go away: a button that was pressed, a row that was deleted. The focus stays in the screen. */

/** The title of the screen gets it then, so that nobody starts from the top of the window again. Once for the page. */
export function keepFocus(): void {
  let last: Element | null = null;
  document.addEventListener("focusin", ({ target }) => {
    last = target instanceof Element ? target : null;
  });
  new MutationObserver(() => {
    if (last === null || last.isConnected) return;
    last = null;
    if (document.activeElement !== document.body) return;
    document.querySelector<HTMLElement>("#main h1")?.focus({ preventScroll: true });
  }).observe(document.body, { childList: true, subtree: true });
}
