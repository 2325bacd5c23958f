/** The frame of a screen: header, column, sheets, and what stands in for what is not there yet. */

import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { t } from "../text/index.ts";
import { IconButton } from "./controls.tsx";
import { Icon, type IconName } from "./icons.tsx";

/**
 * A screen. Its title gets the focus when it appears, so that a screen reader says where one is. `backTo` is where the
 * arrow leads, a path of the router.
 */
export function Page({ title, backTo, actions, children }: {
  title: string;
  backTo?: string;
  actions?: ComponentChildren;
  children: ComponentChildren;
}) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} · ${t().common.appName}`;
  }, [title]);
  useEffect(() => {
    if (document.activeElement === document.body || document.activeElement === null) heading.current?.focus();
  }, []);
  return (
    <main class="page" id="main">
      <header class="page-header">
        {backTo !== undefined && (
          <a class="icon-button" href={`#${backTo}`} aria-label={t().common.back}>
            <Icon name="back" />
          </a>
        )}
        <h1 class="one-line" tabIndex={-1} ref={heading}>
          {title}
        </h1>
        {actions}
      </header>
      <div class="stack">{children}</div>
    </main>
  );
}

/** A dialog that rises from the bottom of a phone. Escape, the cross and a tap beside it close it. */
export function Sheet({ title, onClose, children }: { title: string; onClose: () => void; children: ComponentChildren }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const element = dialog.current;
    element?.showModal();
    return () => element?.close();
  }, []);
  return (
    <dialog
      class="sheet"
      ref={dialog}
      aria-label={title}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClick={(event) => {
        if (event.target === event.currentTarget) onClose();
      }}
    >
      <div class="sheet-header">
        <h2>{title}</h2>
        <IconButton icon="close" label={t().common.close} onClick={onClose} />
      </div>
      <div class="stack">{children}</div>
    </dialog>
  );
}

/** Grey lines in the shape of what is on its way. */
export function Skeleton({ lines = 3 }: { lines?: number }) {
  return (
    <div class="card stack" role="status" aria-label={t().common.loading}>
      {Array.from({ length: lines }, (_, index) => (
        <span class="skeleton" key={index} />
      ))}
    </div>
  );
}

/** Nothing yet, and what to do about it. */
export function Empty({ icon, title, hint, children }: {
  icon: IconName;
  title: string;
  hint?: string;
  children?: ComponentChildren;
}) {
  return (
    <div class="empty">
      <Icon name={icon} size={40} />
      <h2>{title}</h2>
      {hint && <p>{hint}</p>}
      {children}
    </div>
  );
}

export function Banner({ tone = "info", icon = "info", children }: {
  tone?: "info" | "warning" | "danger";
  icon?: IconName;
  children: ComponentChildren;
}) {
  return (
    <div class="banner" data-tone={tone} role={tone === "danger" ? "alert" : undefined}>
      <Icon name={icon} size={20} />
      <div class="grow">{children}</div>
    </div>
  );
}

export function SectionTitle({ children, action }: { children: ComponentChildren; action?: ComponentChildren }) {
  return (
    <div class="section-title">
      <h2>{children}</h2>
      {action}
    </div>
  );
}

/** The thing isn't there. */
export function NotFound({ backTo = "/" }: { backTo?: string }) {
  return (
    <Page title={t().common.notFound} backTo={backTo}>
      <Empty icon="search" title={t().common.notFound} hint={t().common.notFoundHint} />
    </Page>
  );
}
