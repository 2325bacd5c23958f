/** Bars in the page's colours. The numbers stand in a table beside it: the drawing alone says nothing to a screen reader. */

import type { ChartConfiguration } from "chart.js";
import { useEffect, useRef, useState } from "preact/hooks";
import { formatMoney } from "../../ledger/money.ts";
import { locale, t } from "../../text/index.ts";

export interface Series {
  readonly label: string;
  /** Minor units, one for each label. */
  readonly values: readonly number[];
  readonly colour: "--accent" | "--owes";
}

interface BarChartProps {
  label: string;
  labels: readonly string[];
  series: readonly Series[];
  currency: string;
  /** Bars from left to right, for names. */
  isSideways?: boolean;
}

const LABEL_LENGTH_MAX = 16;
/** In pixels: of a bar with its gap, of the axis and the legend. */
const BAR_HEIGHT = 22;
const FRAME_HEIGHT = 72;
const UPRIGHT_HEIGHT = 240;
const TICKS_MAX = 4;
/** In pixels, so that two amounts aren't read as one. */
const TICK_GAP = 12;

export function BarChart(props: BarChartProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const colours = useColours();
  const [hasFailed, setFailed] = useState(false);
  const { label, labels, series, isSideways = false } = props;
  useEffect(() => {
    let chart: { destroy(): void } | undefined;
    let isGone = false;
    import("./chart_kit.ts").then(
      ({ Chart }) => {
        if (canvas.current && !isGone) chart = new Chart(canvas.current, configOf(props));
      },
      () => setFailed(true),
    );
    return () => {
      isGone = true;
      chart?.destroy();
    };
  }, [JSON.stringify([labels, series]), colours, locale.value]);
  const height = isSideways ? FRAME_HEIGHT + labels.length * (series.length * BAR_HEIGHT + 10) : UPRIGHT_HEIGHT;
  if (hasFailed) return <p class="muted small">{t().insight.noDrawing}</p>;
  return (
    <div class="chart" style={{ blockSize: `${height}px` }}>
      <canvas ref={canvas} role="img" aria-label={label} />
    </div>
  );
}

function configOf({ labels, series, currency, isSideways = false }: BarChartProps): ChartConfiguration<"bar"> {
  const [text, line] = [colourOf("--muted"), colourOf("--line")];
  const money = (minor: number | string) => formatMoney(Math.round(Number(minor)), currency, locale.value);
  const amounts = { beginAtZero: true, grid: { color: line }, border: { display: false }, ticks: { color: text, maxRotation: 0, maxTicksLimit: TICKS_MAX, autoSkipPadding: TICK_GAP, callback: (minor: number | string) => short(money(minor)) } };
  const names = { grid: { display: false }, border: { color: line }, ticks: { color: text, autoSkip: !isSideways } };
  return {
    type: "bar",
    data: {
      labels: labels.map((name) => (name.length > LABEL_LENGTH_MAX ? `${name.slice(0, LABEL_LENGTH_MAX - 1)}…` : name)),
      datasets: series.map(({ label, values, colour }) => ({
        label,
        data: [...values],
        backgroundColor: colourOf(colour),
        borderRadius: 4,
        maxBarThickness: 28,
        categoryPercentage: 0.8,
        barPercentage: 0.9,
      })),
    },
    options: {
      indexAxis: isSideways ? "y" : "x",
      responsive: true,
      maintainAspectRatio: false,
      animation: false,
      scales: isSideways ? { x: amounts, y: names } : { x: names, y: amounts },
      plugins: {
        legend: { display: series.length > 1, position: "bottom", labels: { color: text, boxWidth: 14, boxHeight: 14 } },
        tooltip: { callbacks: { label: ({ dataset, raw }) => `${dataset.label ?? ""}: ${money(Number(raw))}` } },
      },
    },
  };
}

/** On an axis whole amounts do without their zeros. */
function short(money: string): string {
  return money.replace(/[.,]0+$/u, "");
}

/** What a token stands for now, in the theme that is shown. */
function colourOf(token: string): string {
  const probe = document.createElement("span");
  probe.style.color = `var(${token})`;
  document.body.append(probe);
  const colour = getComputedStyle(probe).color;
  probe.remove();
  return colour;
}

/** Changes whenever the theme does. */
function useColours(): number {
  const [version, setVersion] = useState(0);
  useEffect(() => {
    const next = () => setVersion((before) => before + 1);
    const media = matchMedia("(prefers-color-scheme: dark)");
    const chosen = new MutationObserver(next);
    media.addEventListener("change", next);
    chosen.observe(document.documentElement, { attributeFilter: ["data-theme"] });
    return () => {
      media.removeEventListener("change", next);
      chosen.disconnect();
    };
  }, []);
  return version;
}
