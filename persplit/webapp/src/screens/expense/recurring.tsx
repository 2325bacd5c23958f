/** What repeats: when the next one comes, and pausing, stopping and editing it. */

import type { ScreenProps } from "../../app.tsx";
import type { GroupView } from "../../data/model.ts";
import { store } from "../../data/store.ts";
import { locale, t } from "../../text/index.ts";
import type { Recurrence } from "../../wire/types.ts";
import { Button, ButtonLink } from "../../ui/controls.tsx";
import { Amount, formatDay, today } from "../../ui/content.tsx";
import { Banner, Empty, Page } from "../../ui/layout.tsx";
import { toast, toastFailure } from "../../ui/toasts.tsx";
import { WithGroup } from "../group_frame.tsx";
import { categoryIcon } from "./categories.ts";
import { newId } from "../../ui/ids.ts";
import { dayNumber, nextDay, whatIsLeft } from "./schedule.ts";

export function Recurring({ params }: ScreenProps) {
  return <WithGroup groupId={params["groupId"] ?? ""}>{(view) => <RecurringOf view={view} />}</WithGroup>;
}

function RecurringOf({ view }: { view: GroupView }) {
  const add = `#/g/${view.id}/add/repeating`;
  return (
    <Page
      title={t().expense.recurring}
      backTo={`/g/${view.id}`}
      actions={
        view.recurrences.length > 0 && (
          <ButtonLink kind="quiet" icon="add" href={add}>
            {t().expense.addRecurring}
          </ButtonLink>
        )
      }
    >
      {view.recurrences.length === 0 ? (
        <Empty icon="repeat" title={t().expense.noRecurring} hint={t().expense.recurringHint}>
          <ButtonLink icon="add" href={add}>
            {t().expense.addRecurring}
          </ButtonLink>
        </Empty>
      ) : (
        <ul class="stack">
          {view.recurrences.map((recurrence) => (
            <li key={recurrence.id}>
              <RecurrenceCard view={view} recurrence={recurrence} />
            </li>
          ))}
        </ul>
      )}
    </Page>
  );
}

function RecurrenceCard({ view, recurrence }: { view: GroupView; recurrence: Recurrence }) {
  const { expense, paused, problem, madeThrough } = recurrence;
  const words = t().expense;
  return (
    <section class="card stack-small" aria-label={expense.description}>
      <div class="row">
        <span class="icon-tile" aria-hidden="true">
          {categoryIcon(expense.category ?? null)}
        </span>
        <div class="grow">
          <h2 class="row-title">{expense.description}</h2>
          <p class="small muted">{scheduleText(recurrence)}</p>
        </div>
        <Amount minor={expense.amount} currency={expense.currency ?? view.group.currency} />
      </div>
      <p class={paused ? "muted" : "strong"}>{paused ? words.isPaused : nextText(recurrence)}</p>
      {madeThrough !== null && !paused && <p class="small muted">{words.lastAdded(formatDay(madeThrough))}</p>}
      {paused && problem !== null && (
        <Banner tone="warning" icon="warning">
          <p>{words.pausedBecause}</p>
          <p class="strong">{problem}</p>
          <p>{words.pausedBecauseHint}</p>
        </Banner>
      )}
      <div class="row-wrap">
        <Button kind="quiet" onClick={() => void pause(view, recurrence)}>
          {paused ? words.goOn : words.pause}
        </Button>
        <ButtonLink kind="plain" href={`#/g/${view.id}/recurring/${recurrence.id}`}>
          {t().common.edit}
        </ButtonLink>
        <Button kind="plain" onClick={() => void stop(view, recurrence)}>
          {words.stop}
        </Button>
      </div>
    </section>
  );
}

function scheduleText({ schedule }: Recurrence): string {
  const { frequency, interval, end, count } = schedule;
  const words = t().expense;
  const limits = [end === null ? "" : words.until(formatDay(end)), count === null ? "" : words.times(count)];
  return [words.every(frequency, interval), ...limits].filter(Boolean).join(", ");
}

/** When the next one comes, in words. */
function nextText({ schedule, madeThrough }: Recurrence): string {
  const words = t().expense;
  const next = nextDay(schedule, madeThrough);
  if (next === null) return words.noNext;
  const days = dayNumber(next) - dayNumber(today());
  if (days < 0) return words.due(formatDay(next));
  if (days === 0) return words.nextToday;
  if (days === 1) return words.nextTomorrow;
  return words.nextOn(formatDay(next), new Intl.RelativeTimeFormat(locale.value).format(days, "day"));
}

async function pause(view: GroupView, { id, paused }: Recurrence): Promise<void> {
  try {
    await store.send("recurrence:pause", view.id, { recurrenceId: id, paused: !paused });
  } catch (error) {
    toastFailure(error);
  }
}

async function stop(view: GroupView, recurrence: Recurrence): Promise<void> {
  const left = whatIsLeft(recurrence);
  const undo = left === null ? undefined : () => void setUpAgain(view, recurrence, left);
  try {
    await store.send("recurrence:stop", view.id, { recurrenceId: recurrence.id });
    toast(t().expense.stopped(recurrence.expense.description), undo);
  } catch (error) {
    toastFailure(error);
  }
}

/** A new one with what was still to come: with the first day of the old one it would make everything again. */
async function setUpAgain(view: GroupView, { expense }: Recurrence, left: Recurrence["schedule"]): Promise<void> {
  const { frequency, interval, start, end, count } = left;
  const schedule = { frequency, interval, start, ...(end === null ? {} : { end }), ...(count === null ? {} : { count }) };
  try {
    await store.send("recurrence:create", view.id, { id: newId(), schedule, expense });
  } catch (error) {
    toastFailure(error);
  }
}
