/** The parts of Chart.js that are used. Loaded when somebody looks at a chart. */

import { BarController, BarElement, CategoryScale, Chart, Legend, LinearScale, Tooltip } from "chart.js";

Chart.register(BarController, BarElement, CategoryScale, Legend, LinearScale, Tooltip);

/** The page's own letters. */
Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;

export { Chart };
