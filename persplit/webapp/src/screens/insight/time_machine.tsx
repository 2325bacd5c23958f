/** The group's past, step by step: who did what, what it changed, and where everybody stood then. */

import { useEffect, useMemo, useState } from "preact/hooks";
import type { ScreenProps } from "../../app.tsx";
import type { GroupView, Step } from "../../data/model.ts";
import { store } from "../../data/store.ts";
import { t } from "../../text/index.ts";
import { BalanceBars } from "../../ui/balance_bars.tsx";
import { Amount, formatMoment } from "../../ui/content.tsx";
import { Button, IconButton } from "../../ui/controls.tsx";
import { Empty, Page, SectionTitle } from "../../ui/layout.tsx";
import { Fetched, useLoaded } from "../../ui/fetched.tsx";
import { GroupTabs, nameOf, WithGroup } from "../group_frame.tsx";
import { placeOf, tellChanges, tellEvent, type Telling } from "./telling.ts";
import { tellingOf } from "./telling_of.ts";

/** How long each step stays while it plays. */
const PLAY_MS = 900;

export function TimeMachine({ params }: ScreenProps) {
  return (
    <WithGroup groupId={params["groupId"] ?? ""}>
      {(view) => (
        <Page title={view.group.name} backTo="/">
          <GroupTabs groupId={view.id} current="history" />
          <Past view={view} />
        </Page>
      )}
    </WithGroup>
  );
}

function Past({ view }: { view: GroupView }) {
  const past = useLoaded(() => store.history(view.id), `${view.id} ${view.seq}`);
  return (
    <Fetched found={past} lines={6}>
      {(steps) => (steps.length > 0 ? <Machine view={view} steps={steps} /> : <Empty icon="history" title={t().insight.noPast} />)}
    </Fetched>
  );
}

interface Time {
  readonly at: number;
  readonly isPlaying: boolean;
  readonly go: (step: number) => void;
  readonly play: () => void;
}

/** Where one is: a step, or always the newest. */
function useTime(last: number): Time {
  const [chosen, setChosen] = useState<number | undefined>(undefined);
  const [isPlaying, setPlaying] = useState(false);
  const at = Math.min(chosen ?? last, last);
  useEffect(() => {
    if (!isPlaying) return;
    if (at === last) return setPlaying(false);
    const timer = setTimeout(() => setChosen(at + 1), PLAY_MS);
    return () => clearTimeout(timer);
  }, [isPlaying, at, last]);
  return {
    at,
    isPlaying,
    go: (step: number) => {
      setPlaying(false);
      setChosen(step >= last ? undefined : Math.max(step, 0));
    },
    play: () => {
      if (at === last) setChosen(0);
      setPlaying(!isPlaying);
    },
  };
}

function Machine({ view, steps }: { view: GroupView; steps: readonly Step[] }) {
  const last = steps.length - 1;
  const time = useTime(last);
  const step = steps[time.at];
  const telling = tellingOf(view);
  const scale = useMemo(() => largestOf(steps), [steps]);
  if (!step) return null;
  return (
    <>
      <Controls time={time} step={step} last={last} telling={telling} />
      <WhatHappened view={view} step={step} telling={telling} />
      <SectionTitle>{time.at === last ? t().insight.balancesNow : t().insight.balancesThen}</SectionTitle>
      <BalanceBars bars={barsOf(view, step)} currency={view.group.currency} scale={scale} label={t().insight.balancesThen} />
    </>
  );
}

/** The largest amount of all steps, so that their bars can be compared; at least 1. */
function largestOf(steps: readonly Step[]): number {
  let largest = 1;
  for (const { balances } of steps) for (const { amount } of balances) largest = Math.max(largest, Math.abs(amount));
  return largest;
}

function Controls({ time, step, last, telling }: { time: Time; step: Step; last: number; telling: Telling }) {
  const moment = formatMoment(step.event.at);
  return (
    <div class="card stack">
      <p class="row-wrap spread">
        <span class="strong">{moment}</span>
        <span class="muted small">{t().insight.stepOf(time.at + 1, last + 1)}</span>
      </p>
      <div class="row steps">
        <IconButton icon="back" label={t().insight.stepBack} onClick={() => time.go(time.at - 1)} />
        <input
          class="slider"
          type="range"
          min={0}
          max={last}
          value={time.at}
          aria-label={t().insight.moment}
          aria-valuetext={`${moment}: ${tellEvent(step.event, telling)}`}
          onInput={(event) => time.go(event.currentTarget.valueAsNumber)}
        />
        <IconButton icon="forward" label={t().insight.stepForward} onClick={() => time.go(time.at + 1)} />
      </div>
      <div class="buttons">
        {last > 0 && (
          <Button kind="quiet" icon={time.isPlaying ? "close" : "history"} onClick={time.play}>
            {time.isPlaying ? t().insight.stop : t().insight.play}
          </Button>
        )}
        {time.at < last && (
          <Button kind="plain" onClick={() => time.go(last)}>
            {t().insight.now}
          </Button>
        )}
      </div>
    </div>
  );
}

/** In the order in which they joined, at every step the same, so that a bar that moves is the same person's. */
function barsOf(view: GroupView, { balances }: Step) {
  const amounts = new Map(balances.map(({ userId, amount }) => [userId, amount]));
  return [...view.people.keys()]
    .filter((userId) => amounts.has(userId))
    .map((userId) => ({ id: userId, name: nameOf(view, userId), fullName: view.people.get(userId)?.name, amount: amounts.get(userId) ?? 0 }));
}

function WhatHappened({ view, step, telling }: { view: GroupView; step: Step; telling: Telling }) {
  const { event, changed } = step;
  const place = placeOf(view.id, event);
  return (
    <div class="card stack-small" aria-live="polite">
      <p class="strong">{place === `/g/${view.id}` ? tellEvent(event, telling) : <a href={`#${place}`}>{tellEvent(event, telling)}</a>}</p>
      {changed.length === 0 ? (
        <p class="muted small">{t().insight.noChange}</p>
      ) : (
        <ul class="moved-list" aria-label={tellChanges(changed, telling)}>
          {changed.map(({ userId, amount }) => (
            <li key={userId}>
              {nameOf(view, userId)} <Amount key={step.event.seq} minor={amount} currency={view.group.currency} isSigned />
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
