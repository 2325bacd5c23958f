/** What the group spent: on what, by whom, when; worked out on the device. */

import { useMemo, useState } from "preact/hooks";
import type { ScreenProps } from "../../app.tsx";
import type { GroupView } from "../../data/model.ts";
import { formatMoney } from "../../ledger/money.ts";
import { locale, plural, t } from "../../text/index.ts";
import { Amount, today } from "../../ui/content.tsx";
import { ButtonLink, Chip, TextField } from "../../ui/controls.tsx";
import { Empty, Page, SectionTitle } from "../../ui/layout.tsx";
import { categoryIcon, categoryName } from "../expense/categories.ts";
import { GroupTabs, nameOf, WithGroup } from "../group_frame.tsx";
import { canonical } from "../settle/plan.ts";
import { BarChart } from "./bar_chart.tsx";
import { categoryKey } from "../expense/category_list.ts";
import { Numbers } from "./numbers.tsx";
import { periodOf, type PeriodChoice } from "./periods.ts";
import { isWithin, statisticsOf, type Statistics } from "./statistics.ts";

/** More bars than this say nothing: the smallest are drawn as one. The table has them all. */
const CATEGORIES_DRAWN_MAX = 8;
const MONTHS_DRAWN_MAX = 12;

export function Charts({ params }: ScreenProps) {
  return <WithGroup groupId={params["groupId"] ?? ""}>{(view) => <ChartsOf view={view} />}</WithGroup>;
}

function ChartsOf({ view }: { view: GroupView }) {
  const [choice, setChoice] = useState<PeriodChoice>("all");
  const [own, setOwn] = useState({ from: "", to: "" });
  const period = periodOf(choice, today(), own);
  const statistics = useMemo(
    () =>
      statisticsOf(
        view.expenses.filter(({ date }) => isWithin(period, date)),
        { me: view.me.userId, canonical: (userId) => canonical(view, userId), categoryKey },
      ),
    [view, period.from, period.to],
  );
  return (
    <Page title={view.group.name} backTo="/">
      <GroupTabs groupId={view.id} current="charts" />
      <PeriodChooser choice={choice} own={own} onChoose={setChoice} onOwn={setOwn} />
      {statistics.all.count === 0 ? (
        <Empty icon="chart" title={t().insight.nothingSpent} hint={t().insight.nothingSpentHint} />
      ) : (
        <Spent view={view} statistics={statistics} />
      )}
      <ButtonLink href={`#/g/${view.id}/files`} kind="plain" icon="download">
        {t().insight.filesTitle}
      </ButtonLink>
    </Page>
  );
}

function PeriodChooser({ choice, own, onChoose, onOwn }: {
  choice: PeriodChoice;
  own: { from: string; to: string };
  onChoose: (choice: PeriodChoice) => void;
  onOwn: (own: { from: string; to: string }) => void;
}) {
  const choices: readonly PeriodChoice[] = ["all", "month", "before", "year", "own"];
  return (
    <div class="stack-small">
      <div class="row-wrap" role="group" aria-label={t().insight.period}>
        {choices.map((value) => (
          <Chip key={value} label={t().insight.periods[value]} isOn={value === choice} onToggle={() => onChoose(value)} />
        ))}
      </div>
      {choice === "own" && (
        <div class="two">
          <TextField label={t().insight.from} type="date" value={own.from} onInput={(from) => onOwn({ ...own, from })} />
          <TextField
            label={t().insight.to}
            type="date"
            value={own.to}
            min={own.from}
            error={own.to !== "" && own.to < own.from ? t().insight.endsBefore : undefined}
            onInput={(to) => onOwn({ ...own, to })}
          />
        </div>
      )}
    </div>
  );
}

function Spent({ view, statistics }: { view: GroupView; statistics: Statistics }) {
  return (
    <>
      <Totals view={view} statistics={statistics} />
      <ByCategory view={view} statistics={statistics} />
      <ByMember view={view} statistics={statistics} />
      <ByMonth view={view} statistics={statistics} />
    </>
  );
}

function Totals({ view, statistics: { all } }: { view: GroupView; statistics: Statistics }) {
  const { currency } = view.group;
  const over = all.paid - all.share;
  const overText = formatMoney(Math.abs(over), currency, locale.value);
  return (
    <div class="card stack">
      <div>
        <p class="muted small">{plural(all.count, { one: t().insight.spentOnOne, other: t().insight.spentOn(all.count) })}</p>
        <Amount minor={all.amount} currency={currency} isLarge />
      </div>
      <dl class="two">
        <div>
          <dt class="muted small">{t().insight.youPaid}</dt>
          <dd>
            <Amount minor={all.paid} currency={currency} />
          </dd>
        </div>
        <div>
          <dt class="muted small">{t().insight.yourShare}</dt>
          <dd>
            <Amount minor={all.share} currency={currency} />
          </dd>
        </div>
      </dl>
      <p class="small muted">
        {over > 0 ? t().insight.paidMore(overText) : over < 0 ? t().insight.paidLess(overText) : t().insight.paidSame}
      </p>
    </div>
  );
}

function ByCategory({ view, statistics: { categories } }: { view: GroupView; statistics: Statistics }) {
  const rows = categories.map(({ category, amount }) => ({ name: category === null ? t().expense.noCategory : categoryName(category), icon: categoryIcon(category), amount }));
  const drawn = rows.length > CATEGORIES_DRAWN_MAX ? rows.slice(0, CATEGORIES_DRAWN_MAX - 1) : rows;
  const rest = rows.slice(drawn.length).reduce((sum, { amount }) => sum + amount, 0);
  const bars = rest !== 0 || rows.length > drawn.length ? [...drawn, { name: t().insight.others, icon: "", amount: rest }] : drawn;
  const { currency } = view.group;
  return (
    <>
      <SectionTitle>{t().insight.byCategory}</SectionTitle>
      <div class="card stack">
        <BarChart
          label={t().insight.byCategory}
          labels={bars.map(({ name }) => name)}
          series={[{ label: t().insight.spent, values: bars.map(({ amount }) => amount), colour: "--accent" }]}
          currency={currency}
          isSideways
        />
        <Numbers
          caption={t().insight.byCategory}
          heads={[t().insight.category, t().insight.spent]}
          rows={rows.map(({ name, icon, amount }) => ({ key: name, name: `${icon} ${name}`.trim(), amounts: [amount] }))}
          currency={currency}
        />
      </div>
    </>
  );
}

function ByMember({ view, statistics: { members } }: { view: GroupView; statistics: Statistics }) {
  const { currency } = view.group;
  const names = members.map(({ userId }) => nameOf(view, userId));
  return (
    <>
      <SectionTitle>{t().insight.byMember}</SectionTitle>
      <div class="card stack">
        <BarChart
          label={t().insight.byMember}
          labels={names}
          series={[
            { label: t().insight.paid, values: members.map(({ paid }) => paid), colour: "--accent" },
            { label: t().insight.share, values: members.map(({ share }) => share), colour: "--owes" },
          ]}
          currency={currency}
          isSideways
        />
        <Numbers
          caption={t().insight.byMember}
          heads={[t().insight.member, t().insight.paid, t().insight.share]}
          rows={members.map(({ userId, paid, share }, index) => ({ key: userId, name: names[index] ?? "", amounts: [paid, share] }))}
          currency={currency}
        />
      </div>
    </>
  );
}

function ByMonth({ view, statistics: { months } }: { view: GroupView; statistics: Statistics }) {
  const { currency } = view.group;
  const drawn = months.slice(-MONTHS_DRAWN_MAX);
  return (
    <>
      <SectionTitle>{t().insight.byMonth}</SectionTitle>
      <div class="card stack">
        <BarChart
          label={t().insight.byMonth}
          labels={drawn.map(({ month }) => monthName(month, "short"))}
          series={[
            { label: t().insight.everybody, values: drawn.map(({ amount }) => amount), colour: "--accent" },
            { label: t().insight.yourShare, values: drawn.map(({ share }) => share), colour: "--owes" },
          ]}
          currency={currency}
        />
        <Numbers
          caption={t().insight.byMonth}
          heads={[t().insight.month, t().insight.everybody, t().insight.youPaid, t().insight.yourShare]}
          rows={months.map(({ month, amount, paid, share }) => ({ key: month, name: monthName(month, "long"), amounts: [amount, paid, share] }))}
          currency={currency}
        />
      </div>
    </>
  );
}

/** `Nov 2026`. */
function monthName(month: string, length: "short" | "long"): string {
  const date = new Date(`${month}-01T00:00:00Z`);
  return new Intl.DateTimeFormat(locale.value, { month: length === "long" ? "long" : "short", year: length === "long" ? "numeric" : "2-digit", timeZone: "UTC" }).format(date);
}
