import type { ComponentChildren } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { api, asProblem, wasAborted, type Problem } from '../api/client';
import type { Collection, Duplicate, DuplicateLevel, DuplicatesAnswer, StoredImage, Verdict } from '../api/types';
import { bytes, keyTail, number, plural } from '../lib/format';
import { navigate, useKeys, useRequest } from '../lib/hooks';
import { mostRadius, nextOffset, nextOpen, pairName, pairsOf, remembered, reviewedLevels, type Pair } from '../lib/review';
import { routeHash, wholeParam } from '../lib/route';
import { DifferencePicture } from '../parts/difference';
import { Thumbnail } from '../parts/picture';
import { Slider } from '../parts/slider';
import { Announcement, Empty, ProblemBox } from '../parts/states';

const kPage = 50;
const kTitles: Record<DuplicateLevel, string> = {
  'near-duplicate': 'Near duplicates',
  'same-pixels': 'Same pixels',
  'same-bytes': 'Same bytes',
  'same-class': 'Same class',
};

export function ReviewView({ info, params }: { info: Collection; params: URLSearchParams }) {
  const levels = reviewedLevels(info);
  const level = levels.find((name) => name === params.get('level')) ?? levels[0];
  const radius = level === 'near-duplicate' ? wholeParam(params, 'radius', 0, mostRadius(info)) : undefined;
  if (!level) {
    return (
      <div class="centre">
        <Empty title="No review here">
          <p>This service does not offer the review of duplicates.</p>
        </Empty>
      </div>
    );
  }
  return <Review info={info} level={level} radius={radius} />;
}

function Review({ info, level, radius }: { info: Collection; level: DuplicateLevel; radius: number | undefined }) {
  const name = `duplicates ${level} ${radius}`;
  const first = useRequest(name, async (signal) => ({ name, ...(await api.duplicates({ level, radius, offset: 0, limit: kPage }, signal)) }), 120);
  // The answer of before is about other groups: no verdict may be given on them under the new level's name. Nor on this level's own while
  // it is asked for again, after another: verdicts have been given since.
  const answer = !first.loading && first.value?.name === name ? first.value : undefined;
  const open = (next: { level?: DuplicateLevel; radius?: number }): void => {
    const query: Record<string, string> = { level: next.level ?? level };
    const wanted = 'radius' in next ? next.radius : radius;
    if (wanted !== undefined && query.level === 'near-duplicate') query.radius = String(wanted);
    navigate(routeHash('review', query), true);
  };
  const shownRadius = radius ?? answer?.radius ?? 0;
  return (
    <div class="review">
      <div class="bar">
        <h1>Duplicates</h1>
        <label class="field">
          <span>Level</span>
          <select value={level} onChange={(event) => open({ level: event.currentTarget.value as DuplicateLevel })}>
            {reviewedLevels(info).map((option) => (
              <option value={option} key={option}>
                {kTitles[option]}
              </option>
            ))}
          </select>
        </label>
        {level === 'near-duplicate' && (
          <Slider label="Radius" value={shownRadius} least={0} most={mostRadius(info)} text={(value) => plural(value, 'bit')} onValue={(value) => open({ radius: value })} />
        )}
        <p class="soft" role="status">
          {!answer ? '' : answer.total === 0 ? 'no groups' : `${plural(answer.total, 'group')}, ${plural(answer.others, 'image')} beside those kept`}
        </p>
      </div>
      {first.problem ? (
        <div class="centre">
          <ProblemBox problem={first.problem} onRetry={first.retry} />
        </div>
      ) : !answer ? (
        <p class="centre soft" role="status">
          Looking for duplicates…
        </p>
      ) : answer.groups.length === 0 ? (
        <div class="centre">
          <Empty title="No duplicates">
            <p>{level === 'near-duplicate' ? `No two images are within ${plural(shownRadius, 'bit')}. A larger radius looks further.` : 'No two images are the same on this level.'}</p>
          </Empty>
        </div>
      ) : (
        <Decide key={name} info={info} level={level} radius={radius} start={answer} />
      )}
    </div>
  );
}

interface DecideProps {
  info: Collection;
  level: DuplicateLevel;
  radius: number | undefined;
  start: DuplicatesAnswer;
}

type Act = 'duplicate' | 'apart' | 'undo';
const kActKeys: Record<string, Act> = { d: 'duplicate', n: 'apart', u: 'undo' };

/** Groups that come after this answer. */
const groupsAfter = ({ total, offset, groups }: DuplicatesAnswer): number => Math.max(0, total - offset - groups.length);

function Decide({ info, level, radius, start }: DecideProps) {
  const [groups, setGroups] = useState(start.groups);
  const [left, setLeft] = useState(groupsAfter(start));
  const [decided, setDecided] = useState<ReadonlyMap<string, Verdict>>(() => new Map(remembered(start.groups)));
  const [history, setHistory] = useState<{ verdict: Verdict; before: boolean | null; at: number }[]>([]);
  const [at, setAt] = useState(() => Math.max(0, nextOpen(pairsOf(start.groups), decided, 0)));
  const [busy, setBusy] = useState<'saving' | 'loading'>();
  const [problem, setProblem] = useState<Problem>();
  const [said, setSaid] = useState('');
  // What came, by key or button, while the one before was being sent: who is quick loses none. `running` ends when its outcome is on
  // the page.
  const waiting = useRef<Act[]>([]);
  const running = useRef(false);
  const [here] = useState(() => new AbortController()); // ends when this is left: nobody waits for more groups then
  useEffect(() => () => here.abort(), []);
  const pairs = pairsOf(groups);
  const pair = pairs[at];

  const attempt = async (kind: 'saving' | 'loading', work: () => Promise<void>): Promise<void> => {
    if (running.current) return;
    running.current = true;
    setBusy(kind);
    setProblem(undefined);
    try {
      await work();
    } catch (error) {
      waiting.current = [];
      if (!wasAborted(error)) setProblem(asProblem(error));
    } finally {
      setBusy(undefined);
    }
  };
  const decide = async (duplicate: boolean): Promise<void> => {
    if (!pair) return;
    await attempt('saving', async () => {
      const verdict: Verdict = { a: pair.keeper.id, b: pair.other.id, duplicate };
      const before = await api.decide(verdict);
      const next = new Map(decided).set(pairName(verdict.a, verdict.b), verdict);
      setDecided(next);
      setHistory([...history, { verdict, before, at }]);
      setSaid(duplicate ? 'Duplicate.' : 'Not a duplicate.');
      const following = nextOpen(pairs, next, at + 1);
      setAt(following < 0 ? pairs.length : following);
    });
  };
  const undo = async (): Promise<void> => {
    const last = history[history.length - 1];
    if (!last) return;
    await attempt('saving', async () => {
      const { a, b } = last.verdict;
      const next = new Map(decided);
      if (last.before === null) {
        await api.undecide(a, b);
        next.delete(pairName(a, b));
      } else {
        await api.decide({ a, b, duplicate: last.before });
        next.set(pairName(a, b), { a, b, duplicate: last.before });
      }
      setDecided(next);
      setHistory(history.slice(0, -1));
      setSaid('Undone.');
      setAt(last.at);
    });
  };
  const more = (): Promise<void> =>
    attempt('loading', async () => {
      const answer = await api.duplicates({ level, radius, offset: nextOffset(groups, decided), limit: kPage }, here.signal);
      const known = new Set(pairs.map(({ keeper, other }) => pairName(keeper.id, other.id)));
      const fresh = answer.groups.filter((group) => pairsOf([group]).some(({ keeper, other }) => !known.has(pairName(keeper.id, other.id))));
      const next = new Map([...remembered(fresh), ...decided]);
      setGroups([...groups, ...fresh]);
      setDecided(next);
      setLeft(fresh.length > 0 ? groupsAfter(answer) : 0);
      setSaid(fresh.length > 0 ? '' : 'There are no more groups.');
      const following = nextOpen(pairsOf([...groups, ...fresh]), next, pairs.length);
      if (following >= 0) setAt(following);
    });
  // Not while something runs: it ends with a pair of its own, and what waits is about that one.
  const goTo = (next: number): void => {
    if (!running.current) setAt(Math.min(Math.max(next, 0), pairs.length));
  };
  const acts: Record<Act, () => Promise<void>> = { duplicate: () => decide(true), apart: () => decide(false), undo };
  const act = (what: Act): void => {
    if (!pair && what !== 'undo') return; // at the end; what waited would be about the first of the groups to come
    if (running.current) waiting.current.push(what);
    else void acts[what]();
  };
  const steps: Record<string, number> = { j: 1, ArrowRight: 1, k: -1, ArrowLeft: -1 };
  useKeys((key, event) => {
    const [by, what] = [steps[key], kActKeys[key]];
    if (by === undefined && what === undefined) return;
    event.preventDefault();
    if (by !== undefined) goTo(at + by);
    // A key that is held down repeats: what it says would be about pairs that nobody has seen.
    if (what !== undefined && !event.repeat && info.writable) act(what);
  });
  useLayoutEffect(() => {
    if (busy) return;
    running.current = false;
    // One that does nothing (undo without a verdict) lets the next go.
    while (!running.current && waiting.current.length > 0) void acts[waiting.current.shift()!]();
  }, [busy]);

  const undoButton = (
    <button type="button" disabled={!info.writable || (history.length === 0 && busy !== 'saving')} onClick={() => act('undo')}>
      Undo <kbd>U</kbd>
    </button>
  );
  return (
    <div class="decide">
      <Announcement text={pair ? `${said} Pair ${at + 1} of ${pairs.length}.` : `${said} All pairs seen.`} />
      {!info.writable && <p class="note">This service only reads its collection, so no verdicts can be given here.</p>}
      {problem && <ProblemBox problem={problem} onDismiss={() => setProblem(undefined)} />}
      {pair ? (
        <>
          <Trio pair={pair} verdict={decided.get(pairName(pair.keeper.id, pair.other.id))} />
          <div class="verdicts" aria-busy={busy !== undefined}>
            <button type="button" class="primary" disabled={!info.writable} onClick={() => act('duplicate')}>
              Duplicate <kbd>D</kbd>
            </button>
            <button type="button" disabled={!info.writable} onClick={() => act('apart')}>
              Not a duplicate <kbd>N</kbd>
            </button>
            {undoButton}
            <span class="steps">
              <button type="button" aria-label="Previous pair" disabled={at === 0} onClick={() => goTo(at - 1)}>
                ←
              </button>
              <span>
                {number(at + 1)} of {number(pairs.length)}
                {left > 0 && ' loaded'}
              </span>
              <button type="button" aria-label="Next pair" onClick={() => goTo(at + 1)}>
                →
              </button>
            </span>
          </div>
          <Facts info={info} keeper={pair.keeper} other={pair.other} />
          <GroupStrip pair={pair} decided={decided} onPick={(other) => goTo(pairs.findIndex((p) => p.group === pair.group && p.other === other))} />
        </>
      ) : (
        <End decided={decided} open={nextOpen(pairs, decided, 0)} more={left > 0 ? () => void more() : undefined} loading={busy === 'loading'} onOpen={goTo} undo={undoButton} />
      )}
    </div>
  );
}

interface EndProps {
  decided: ReadonlyMap<string, Verdict>;
  open: number;
  more?: () => void;
  loading: boolean;
  onOpen: (at: number) => void;
  undo: ComponentChildren;
}

function End(props: EndProps) {
  const duplicates = [...props.decided.values()].filter((verdict) => verdict.duplicate).length;
  return (
    <Empty title={props.open < 0 ? 'All decided' : 'End of the list'}>
      <p>
        {plural(duplicates, 'duplicate')}, {number(props.decided.size - duplicates)} kept apart. Verdicts are remembered; no file has been touched.
      </p>
      <p class="actions">
        {props.more && (
          // Not `disabled`, which would take the focus away; a second click does nothing.
          <button type="button" class="primary" aria-disabled={props.loading} onClick={props.more}>
            {props.loading ? 'Looking for more groups…' : 'Load more groups'}
          </button>
        )}
        {props.open >= 0 && (
          <button type="button" disabled={props.loading} onClick={() => props.onOpen(props.open)}>
            To the pairs without a verdict
          </button>
        )}
        {props.undo}
      </p>
    </Empty>
  );
}

function Trio({ pair, verdict }: { pair: Pair; verdict?: Verdict }) {
  const { keeper, other } = pair;
  return (
    <div class="trio">
      <Side image={keeper} role="Keep" />
      <Side image={other} role={verdict ? (verdict.duplicate ? 'Duplicate' : 'Not a duplicate') : 'Duplicate?'} verdict={verdict} />
      <DifferencePicture a={keeper.id} b={other.id} />
    </div>
  );
}

function Side({ image, role, verdict }: { image: StoredImage; role: string; verdict?: Verdict }) {
  return (
    <figure class={verdict ? (verdict.duplicate ? 'is-duplicate' : 'is-apart') : ''}>
      <div class="frame">
        <Thumbnail id={image.id} size={384} alt={keyTail(image.key)} />
      </div>
      <figcaption>
        <b>{role}</b> <span title={image.key}>{keyTail(image.key)}</span>
      </figcaption>
    </figure>
  );
}

/** What is known of both, line by line; lines that differ are marked. */
function Facts({ info, keeper, other }: { info: Collection; keeper: StoredImage; other: Duplicate }) {
  const dimensions = (image: StoredImage): string => (image.width && image.height ? `${image.width} × ${image.height}` : '');
  const folder = (key: string): string => key.slice(0, key.lastIndexOf('/') + 1);
  const lines: [string, string, string][] = [
    ['Pixels', dimensions(keeper), dimensions(other)],
    ['File', keeper.bytes ? bytes(keeper.bytes) : '', other.bytes ? bytes(other.bytes) : ''],
    ['Label', keeper.label ?? '', other.label ?? ''],
    ['Name', keeper.key.slice(folder(keeper.key).length), other.key.slice(folder(other.key).length)],
    ['Folder', folder(keeper.key), folder(other.key)],
  ];
  return (
    <table class="facts-table">
      <caption class="unseen">The two images compared</caption>
      <thead>
        <tr>
          <th scope="col">
            <span class="unseen">Fact</span>
          </th>
          <th scope="col">Keep</th>
          <th scope="col">Other</th>
        </tr>
      </thead>
      <tbody>
        {lines
          .filter(([, a, b]) => a || b)
          .map(([name, a, b]) => (
            <tr key={name} class={a === b ? '' : 'differs'}>
              <th scope="row">{name}</th>
              <td>{a || '–'}</td>
              <td>
                {b || '–'}
                {a !== b && <span class="unseen"> (differs)</span>}
              </td>
            </tr>
          ))}
        <tr>
          <th scope="row">The two</th>
          <td colSpan={2}>
            {kTitles[other.level].toLowerCase()}
            {other.level === 'near-duplicate' && `, ${other.distance} of ${info.bits} bits differ`}
          </td>
        </tr>
      </tbody>
    </table>
  );
}

function GroupStrip({ pair, decided, onPick }: { pair: Pair; decided: ReadonlyMap<string, Verdict>; onPick: (other: StoredImage) => void }) {
  const { keep, others, size } = pair.group;
  if (others.length < 2) return null;
  return (
    <section class="strip" aria-label="This group">
      <h2>
        {number(size + 1)} images in this group{size > others.length && `, the nearest ${number(others.length)} shown`}
      </h2>
      <ul>
        {[keep, ...others].map((image) => {
          const verdict = decided.get(pairName(pair.keeper.id, image.id));
          const state = image === pair.keeper ? 'keep' : verdict ? (verdict.duplicate ? 'duplicate' : 'apart') : 'open';
          return (
            <li key={image.id} class={`is-${state}`}>
              <button type="button" disabled={image === pair.keeper} aria-current={image === pair.other ? 'true' : undefined} onClick={() => onPick(image)}>
                <span class="frame">
                  <Thumbnail id={image.id} size={96} alt={keyTail(image.key)} />
                </span>
                <small>{state}</small>
              </button>
            </li>
          );
        })}
      </ul>
    </section>
  );
}
