/** History: what was typed, how fast and how well, over the days and kinds one chooses. */

import { isOfEverything, readFilter, writeFilter } from '../core/history_filter.js';
import { binsOf, runsOf, speedOf, together } from '../core/trend.js';
import { beginMs, dayNamed, dayOf, nameOf, utcOffsetMinutes } from '../days.js';
import { History } from '../net/history.js';
import { Calendar } from '../views/calendar.js';
import { table } from '../views/charts.js';
import { element, elements, fillWhenOpen } from '../views/dom.js';
import { FilterView, modeName, modeOf } from '../views/filter_view.js';
import { Frame } from '../views/frame.js';
import { Histogram } from '../views/histogram.js';
import { asCsv, bestRows, HistoryList } from '../views/history_list.js';
import { HistoryNumbers } from '../views/history_numbers.js';
import { KeysFound } from '../views/keys_found.js';
import { OldResultsView } from '../views/old_results_view.js';
import { OwnKeyboard } from '../views/own_keyboard.js';
import { isFinished } from '../views/result_view.js';
import { Standstill } from '../views/standstill.js';
import { TrendChart } from '../views/trend_chart.js';
import { dayWords, hours, moment, number, percent, say } from '../views/words.js';

/**
 * @import { Filter } from '../core/history_filter.js'
 * @import { Day } from '../core/trend.js'
 * @import { LayoutName } from '../layouts.js'
 * @import { Charts, Keys, Page, Row, Span } from '../net/history.js'
 * @import { Mark } from '../views/trend_chart.js'
 *
 * @typedef {{filter: Filter, span: Span, today: number, page: Page, charts: Charts, keys: Keys,
 *   layout: LayoutName, minutesADay: number|null}} Shown
 */

const TYPE = { href: '/', message: 'typeSomething' };
const EVERYTHING = { href: '/history?period=all', message: 'showEverything' };
const MARKS_MAX = 180;
const WINDOW = { attempts: 10, days: 7 };
const BINS_MAX = 24;
const CALENDAR_DAYS = 371;
const DAYS_OF_RUNS = [1, 7, 28];

const frame = new Frame({ title: 'placeHistory', redraw });
const { session, settings } = frame;
const history = new History(session);
const content = element(document, '#shown');
const analysis = element(document, '#analysis');
const standstill = new Standstill(element(document, '#standstill'), content);
const noAnalysis = new Standstill(element(document, '.no-analysis'), analysis);
const noMore = new Standstill(element(document, '.no-more'), element(document, '#attempts .on'));
const numbers = new HistoryNumbers(element(document, '#numbers'));
const trend = new TrendChart(element(document, '#trend'));
const calendar = new Calendar(element(document, '#calendar'));
const histogram = new Histogram(element(document, '#histogram'));
const noKeys = new Standstill(element(document, '.no-keys'), element(document, '.keys-shown'));
const keysFound = new KeysFound(element(document, '#keys'), new OwnKeyboard(settings), showLayout);
const list = new HistoryList(element(document, '#attempts'), fetchMore);
const offer = element(document, '#old-results');
const oldResults = new OldResultsView(offer, session, settings, frame.storage, () => void open());
const filterView = new FilterView(element(document, '#filter'), readFilter(new URLSearchParams()), choose);

/** @type {Shown|null} */
let shown = null;
/** @type {'attempts'|'days'} */
let by = 'attempts';
/** Answers to an older question than the last are not shown. */
let turn = 0;

Object.assign(frame.actions, { practise, analyse, download });

for (const button of elements(document, '[data-by]')) {
  button.addEventListener('click', () => {
    by = button.dataset.by === 'days' ? 'days' : 'attempts';
    if (shown) drawTrend(shown);
  });
}

addEventListener('popstate', open);
open();

/** @param {Filter} filter */
function choose(filter) {
  globalThis.history.pushState(null, '', location.pathname + writeFilter(filter));
  open();
}

/** Shows what the address asks for. */
async function open() {
  const filter = readFilter(new URLSearchParams(location.search));
  filterView.show(filter);
  element(document, '#filter').hidden = !session.known;
  element(document, '#guest').hidden = session.signedIn || !session.known;
  if (!session.known) {
    standstill.empty('nobodyTyped', TYPE);
    return;
  }
  turn += 1;
  const mine = turn;
  content.ariaBusy = 'true';
  standstill.wait();
  try {
    const asked = await ask(filter);
    if (mine === turn) show(asked);
  } catch (error) {
    if (mine !== turn) return;
    standstill.refused(error, open);
  }
}

/** @param {Filter} filter @returns {Promise<Shown>} */
async function ask(filter) {
  const { span, today } = spanOf(filter);
  const [page, charts, { keys, layout }, profile] = await Promise.all([
    history.page(filter, span),
    history.charts(filter, span),
    askKeys(filter, span),
    // A goal is of all that is typed, and an account's.
    session.signedIn && isOfEverything(filter) ? session.profile() : null,
  ]);
  const minutesADay = profile?.settings.goals?.minutes_a_day ?? null;
  return { filter, span, today, page, charts, keys, layout, minutesADay };
}

/** The keys of the layout that is typed with; whatever was typed on one alone. @param {Filter} filter @param {Span} span */
async function askKeys(filter, span) {
  const together = await history.keys(filter, span);
  const layout = keysFound.layoutOf(together, filter.language);
  const keys = together.layouts.length > 1 ? await history.keys(filter, span, layout) : together;
  return { keys, layout };
}

/** @param {Filter} filter */
function spanOf({ period, from, to }) {
  const utcOffset = utcOffsetMinutes();
  const today = dayOf(performance.timeOrigin + performance.now(), utcOffset);
  const first = period === 'days' ? dayNamed(from) : period === 'all' ? null : today - Number(period) + 1;
  const last = period === 'days' ? dayNamed(to) : null;
  /** @type {Span} */
  const span = {
    from: first === null ? null : nameOf(first),
    to: last === null ? null : nameOf(last),
    sinceMs: first === null ? null : beginMs(first, utcOffset),
    untilMs: last === null ? null : beginMs(last + 1, utcOffset),
    utcOffsetMinutes: utcOffset,
  };
  return { span, today };
}

/** @param {Shown} asked */
function show(asked) {
  const { filter, page, charts } = asked;
  content.ariaBusy = null;
  if (page.total === 0) {
    shown = null;
    const never = charts.streak_days.best === 0 && isOfEverything(filter);
    element(document, '#filter').hidden = never;
    if (never) standstill.empty('nothingTyped', TYPE);
    else standstill.empty('nothingHere', EVERYTHING);
    return;
  }
  standstill.over();
  // The newest ones tell most, and each is a point of its own; of many, days tell more.
  by = page.next === null ? 'attempts' : 'days';
  shown = asked;
  list.show(page.results, page.total);
  showKeys(asked);
  analysis.hidden = true;
  draw(asked);
}

/** @param {Shown} asked */
function showKeys({ filter, keys, layout }) {
  noKeys.over();
  keysFound.show(keys, layout, filter.period === 'all' && isOfEverything({ ...filter, language: '' }));
}

/** The keys of another layout. @param {LayoutName} layout */
async function showLayout(layout) {
  if (!shown) return;
  const asked = shown;
  asked.layout = layout;
  try {
    const keys = await history.keys(asked.filter, asked.span, layout);
    // Only the one chosen last is shown.
    if (asked !== shown || asked.layout !== layout) return;
    asked.keys = keys;
    showKeys(asked);
  } catch (error) {
    if (asked === shown && asked.layout === layout) noKeys.refused(error, () => void showLayout(layout));
  }
}

/** All that is made of words, in the language of the interface. @param {Shown} asked */
function draw(asked) {
  const hidden = asked.charts.hidden_before;
  const note = element(document, '#hidden-days');
  note.hidden = hidden === null;
  element(note, 'span').textContent = hidden === null ? '' : say('olderDaysHidden', dayWords(dayNamed(hidden) ?? 0));
  drawNumbers(asked);
  drawTrend(asked);
  drawCalendar(asked);
  drawHistogram(asked);
  element(document, '#bests').hidden = asked.charts.bests.length === 0;
  element(document, '#bests tbody').replaceChildren(...bestRows(asked.charts.bests));
}

function redraw() {
  filterView.draw();
  for (const one of [standstill, noAnalysis, noKeys, noMore, oldResults]) one.draw();
  if (!shown) return;
  draw(shown);
  keysFound.draw();
  list.draw();
  if (!analysis.hidden) analyse();
}

/** @param {Shown} asked */
function drawNumbers({ page, charts, span, today, minutesADay }) {
  const todays = dayNumbers(charts).find(({ day }) => day === today);
  numbers.show({
    days: daysWithin(charts, span),
    newestSpeeds: page.results.filter(isFinished).map(({ wpm }) => wpm),
    streak: charts.streak_days,
    goal: minutesADay === null ? null : { doneMs: todays?.time_ms ?? 0, minutes: minutesADay },
  });
}

/** @param {Shown} asked */
function drawTrend({ page, charts, span }) {
  const runs = runsWithin(daysWithin(charts, span));
  const attempts = page.results.filter(isFinished);
  const marks = by === 'attempts' ? attempts.toReversed().map(markOfAttempt) : marksOfRuns(runs);
  for (const button of elements(document, '[data-by]')) {
    button.setAttribute('aria-pressed', String(button.dataset.by === by));
  }
  const figure = element(document, '#trend');
  figure.hidden = marks.length === 0;
  if (marks.length === 0) return;
  const days = runs.some((run) => run.length > 1) ? 'run' : 'day';
  element(figure, '.points-are').textContent = say(by === 'attempts' ? 'pointIsAttempt' : `pointIs_${days}`);
  element(figure, '.mean-is').textContent = say('meanOver', number(WINDOW[by]));
  trend.show(marks, { window: WINDOW[by], label: say('trendLabel', marks.length, number(marks.length)) });
  fillWhenOpen(figure, 'details', () =>
    table({
      caption: say('trend'),
      heads: [say('when'), say('wpm'), say('accuracy')],
      rows: marks.map(({ name, speed, accuracy }) => [
        name,
        number(speed.value, 1),
        accuracy ? percent(accuracy.value, 1) : '–',
      ]),
    }),
  );
}

/** @param {Shown} asked */
function drawCalendar({ filter, charts, span, today }) {
  const days = dayNumbers(charts);
  const last = span.to === null ? today : (dayNamed(span.to) ?? today);
  const typed = days.filter(({ day }) => day > last - CALENDAR_DAYS && day <= last);
  const timeMs = together(typed).time_ms;
  calendar.show(typed, {
    last,
    from: span.from === null ? 0 : (dayNamed(span.from) ?? 0),
    label: say('calendarLabel', typed.length, number(typed.length), hours(timeMs)),
    words: (day, of) =>
      of
        ? say('dayTyped', dayWords(day), of.attempts, number(of.attempts), hours(of.time_ms))
        : say('dayFree', dayWords(day)),
    href: (day) => addressOf(filter, day, day),
  });
  fillWhenOpen(document, '#calendar details', () =>
    table({
      caption: say('calendar'),
      heads: [say('day'), say('attempts'), say('timeTyped')],
      rows: typed.map(({ day, attempts, time_ms: time }) => [dayWords(day), number(attempts), hours(time)]),
    }),
  );
}

/** @param {Shown} asked */
function drawHistogram({ charts }) {
  const bins = binsOf(charts.speeds, charts.speed_step_wpm, BINS_MAX);
  const figure = element(document, '#histogram');
  figure.hidden = bins.length === 0;
  if (bins.length === 0) return;
  const all = bins.reduce((sum, { count }) => sum + count, 0);
  const commonest = bins.reduce((a, b) => (b.count > a.count ? b : a));
  histogram.show(bins, {
    label: say('histogramLabel', number(commonest.from), number(commonest.to)),
    words: ({ from, to, count }) =>
      say('binWords', number(from), number(to), count, number(count), percent(count / all, 1)),
  });
  fillWhenOpen(figure, 'details', () =>
    table({
      caption: say('histogram'),
      heads: [say('wpm'), say('attempts')],
      rows: bins.map(({ from, to, count }) => [`${number(from)}–${number(to)}`, number(count)]),
    }),
  );
}

/** @param {Row} row @param {number} x @returns {Mark} */
function markOfAttempt(row, x) {
  const name = moment(row.finished_at, { dateStyle: 'medium', timeStyle: 'short' });
  const parts = [name, say('wpmOf', number(row.wpm, 1)), percent(row.accuracy, 1), modeName(modeOf(row.source))];
  return {
    x,
    name,
    when: moment(row.finished_at, { day: 'numeric', month: 'short' }),
    speed: { value: row.wpm, count: 1, spread: 0 },
    accuracy: { value: row.accuracy, count: 1, spread: 0 },
    words: parts.join(' · '),
    href: `/attempts/${row.id}`,
  };
}

/** @param {Day[][]} runs */
function marksOfRuns(runs) {
  const span = runs.length && runs[runs.length - 1][0].day - runs[0][0].day;
  /** @type {Intl.DateTimeFormatOptions} */
  const dated = span > CALENDAR_DAYS ? { month: 'short', year: 'numeric' } : { day: 'numeric', month: 'short' };
  return runs.map((run) => markOfRun(run, dated));
}

/** @param {Day[]} run @param {Intl.DateTimeFormatOptions} dated @returns {Mark} */
function markOfRun(run, dated) {
  const all = together(run);
  const first = run[0].day;
  const last = run[run.length - 1].day;
  const name = first === last ? dayWords(last) : `${dayWords(first)} – ${dayWords(last)}`;
  const parts = [
    name,
    say('meanWpmOf', number(all.wpm ?? 0, 1)),
    percent(all.accuracy ?? 0, 1),
    say('attemptsOf', all.attempts, number(all.attempts)),
  ];
  return {
    x: last,
    name,
    when: dayWords(last, dated),
    speed: speedOf(all),
    accuracy: all.accuracy === null ? null : { value: all.accuracy, count: all.completed, spread: 0 },
    words: parts.join(' · '),
    href: addressOf(readFilter(new URLSearchParams(location.search)), first, last),
  };
}

/**
 * Days, or weeks where there are too many of them.
 * @param {Day[]} days
 */
function runsWithin(days) {
  const done = days.filter(({ completed }) => completed > 0);
  const runs = DAYS_OF_RUNS.map((length) => runsOf(done, length));
  return (runs.find((one) => one.length <= MARKS_MAX) ?? runs[runs.length - 1]).slice(-MARKS_MAX);
}

/** The same conditions for some days alone. @param {Filter} filter @param {number} first @param {number} last */
function addressOf(filter, first, last) {
  return location.pathname + writeFilter({ ...filter, period: 'days', from: nameOf(first), to: nameOf(last) });
}

/** @param {Charts} charts @returns {Day[]} */
function dayNumbers({ days }) {
  return days.map(({ date, ...day }) => ({ ...day, day: dayNamed(date) ?? 0 }));
}

/** @param {Charts} charts @param {Span} span */
function daysWithin(charts, { from }) {
  const first = from === null ? 0 : (dayNamed(from) ?? 0);
  return dayNumbers(charts).filter(({ day }) => day >= first);
}

async function fetchMore() {
  if (!shown?.page.next) return;
  const asked = shown;
  try {
    asked.page = await history.page(asked.filter, asked.span, asked.page.next);
    if (asked === shown) list.add(asked.page.results);
    noMore.over();
  } catch (error) {
    noMore.refused(error, () => list.showMore());
  }
}

function practise() {
  settings.set('source', 'practice');
  location.assign('/');
}

async function analyse() {
  noAnalysis.wait();
  try {
    const found = await history.weakKeys(shown?.filter.language ?? '', settings.interface);
    const items = found.weak_keys.map(({ recommendation }) => {
      const item = document.createElement('li');
      item.textContent = recommendation;
      return item;
    });
    const rules = document.createElement('ul');
    rules.append(...items);
    const sentence = document.createElement('p');
    sentence.textContent = `${say('analysisOfAll')} ${found.ai_insights}`;
    analysis.replaceChildren(sentence, rules);
    noAnalysis.over();
    analysis.focus();
  } catch (error) {
    noAnalysis.refused(error, analyse);
  }
}

/** The rows that are here, as a file that a spreadsheet opens. */
function download() {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([asCsv(list.rows)], { type: 'text/csv' }));
  link.download = 'attempts.csv';
  link.click();
  URL.revokeObjectURL(link.href);
}
